"""Orders to the daemon, with none, with one that is deaf, and with the real one."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from qws.errors import StoreError
from qws.home import Home
from qws.messages import ControlOrdered
from qws.runtime.clock import SystemClock
from qws.runtime.message import Envelope
from qws.store.lock import is_held
from qws.store.reading import Views
from qws.store.views import Projector
from qws.text import describe
from tests.cli.rig import ROOT, as_json, call, eventually, fill, held
from tests.support.builders import an_order

LASTING, MOMENTARY = (
    ("halt", "resume", "reduce-only"),
    (("cancel", "--all"), ("rebalance",), ("settle", an_order().tag, "--never-arrived")),
)


@pytest.mark.parametrize("command", LASTING)
def test_without_a_daemon_a_halt_and_a_resume_wait_for_the_next_start(home: Home, command: str) -> None:
    answer = call(home, command)

    assert (answer.code, answer.err) == (0, "")
    assert "next start" in answer.out
    (waiting,) = Views(home.views).waiting()
    assert (waiting["command"], waiting["by"]) == (command.replace("-", "_"), f"{getpass.getuser()}@{platform.node()}")


def test_a_stored_resume_ends_the_halt_that_was_stored_before_it(home: Home) -> None:
    marks = []
    for command in ("halt", "reduce-only", "resume"):
        call(home, command)
        marks.append(home.halt_mark.exists())

    assert marks == [True, True, False]


@pytest.mark.parametrize("words", MOMENTARY)
def test_without_a_daemon_a_cancel_and_a_rebalance_do_nothing(home: Home, words: tuple[str, ...]) -> None:
    Projector(home.views, describe).close()

    answer = call(home, *words)

    assert (answer.code, answer.out) == (1, "")
    assert "nothing was done" in answer.err
    assert Views(home.views).waiting() == []


@pytest.mark.parametrize("words", [("halt",), ("resume",), ("reduce-only",), *MOMENTARY])
def test_the_json_answer_names_command_result_and_text(home: Home, words: tuple[str, ...]) -> None:
    answer = call(home, *words, "--json")

    assert answer.err == ""
    assert isinstance(answer.json, dict)
    assert set(answer.json) == {"command", "result", "text"}
    assert answer.json["command"] == words[0]
    assert (answer.json["result"], answer.code) == (("stored", 0) if words[0] in LASTING else ("not_running", 1))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((an_order().tag,), "--never-arrived"),
        ((an_order().tag, "--order-id", "7", "--never-arrived"), "--never-arrived"),
        (("q1nonsense", "--never-arrived"), "no tag of ours"),
    ],
)
def test_who_settles_an_order_says_which_and_one_thing_of_it(home: Home, words: tuple[str, ...], said: str) -> None:
    answer = call(home, "settle", *words)

    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err


def test_a_cancel_must_say_all(home: Home) -> None:
    answer = call(home, "cancel")

    assert (answer.code, answer.out) == (2, "")
    assert "--all" in answer.err


@pytest.mark.parametrize("words", [("halt",), ("rebalance",)])
def test_what_a_deaf_daemon_does_not_answer_stays_only_when_it_is_meant_to_last(
    home: Home, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qws.cli.control.ANSWER_WAIT_S", 0.1)
    Projector(home.views, describe).close()
    with held(home):
        answer = call(home, *words, "--json")

    assert answer.code == 1
    assert isinstance(answer.json, dict)
    assert answer.json["result"] == "no_answer"
    assert [each["command"] for each in Views(home.views).waiting()] == [each for each in words if each in LASTING]
    assert home.halt_mark.exists() == ("halt" in words)


def test_a_rebalance_while_halted_is_refused_at_once_with_what_to_do_first(home: Home) -> None:
    fill(home, [Envelope(1, 1, None, SystemClock().now(), "desk", ControlOrdered("halt", "me"))])
    with held(home):
        answer = call(home, "rebalance", "--json")

    assert answer.code == 1
    assert isinstance(answer.json, dict)
    assert answer.json["result"] == "refused"
    assert "`qws resume` first" in str(answer.json["text"])
    assert Views(home.views).waiting() == []


def test_read_models_of_another_version_take_no_order(home: Home) -> None:
    Projector(home.views, describe).close()
    rewritten = home.views.read_bytes()
    home.views.write_bytes(rewritten[:60] + (99).to_bytes(4, "big") + rewritten[64:])  # SQLite's user_version

    with pytest.raises(StoreError, match="another version"):
        Views(home.views).daemon()
    for words in (("resume",), ("reduce-only",)):
        answer = call(home, *words)
        assert answer.code == 3
        assert "qws run" in answer.err


@pytest.mark.parametrize("damage", [b"", b"no tables at all" * 300])
def test_a_halt_needs_no_read_models(home: Home, damage: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWS_INBOX", "drop")
    shutil.rmtree(home.inbox)
    Projector(home.views, describe).close()
    home.views.write_bytes(damage)

    answer = call(home, "halt")
    assert (answer.code, "at the next start" in answer.out) == (0, True)
    with daemon(home):
        eventually(lambda: state(home) == "halted")
        assert call(home, "resume").code == 0
        for path in home.state.glob("views.sqlite*"):  # what Windows does not allow
            path.unlink()

        answer = call(home, "halt")

        assert (answer.code, "HALT" in answer.out) == (0, True)
        eventually(lambda: "halted" in call(home, "log").out and any((home.root / "drop").rglob("HALT.*.accepted")))
    with daemon(home):
        eventually(lambda: state(home) == "halted")


def test_a_halt_that_can_be_left_nowhere_says_so(home: Home) -> None:
    Projector(home.views, describe).close()
    home.views.write_bytes(b"no tables at all" * 300)
    home.halt_mark.mkdir(parents=True)

    answer = call(home, "halt")

    assert (answer.code, answer.out) == (3, "")
    assert "cannot be used" in answer.err


def test_a_stored_halt_holds_although_the_read_models_are_gone_and_a_resume_ends_it(home: Home) -> None:
    assert call(home, "halt").code == 0
    for path in home.state.glob("views.sqlite*"):
        path.unlink()

    with daemon(home):
        eventually(lambda: state(home) == "halted")
        assert not home.halt_mark.exists()
        home.halt_mark.write_text("left by one that was deaf", encoding="utf-8")
        assert call(home, "resume").code == 0

    assert not home.halt_mark.exists()


def test_the_daemon_takes_every_order_and_status_shows_it_at_once(home: Home) -> None:
    assert call(home, "halt").code == 0
    with daemon(home) as ended:
        eventually(lambda: state(home) == "halted")  # ordered before it ran
        states = {"resume": "running", "reduce-only": "reduce_only", "halt": "halted"}
        for words in (("resume",), ("halt",), ("reduce-only",), ("resume",), ("halt",), ("resume",)):
            answer = as_json(home, *words)
            assert isinstance(answer, dict)
            assert (answer["command"], answer["result"]) == (words[0], "accepted")
            assert state(home) == states[words[0]]
        unknown = call(home, *MOMENTARY[-1])
        assert (unknown.code, "no order" in unknown.err) == (1, True)
        for momentary in MOMENTARY[:-1]:
            answer = as_json(home, *momentary)
            assert isinstance(answer, dict)
            assert answer["result"] == "accepted"
        assert as_json(home, "halt") == as_json(home, "halt")
        assert Views(home.views).waiting() == []
    assert ended() == 0
    status = as_json(home, "status")
    assert isinstance(status, dict)
    assert (status["state"], status["halted"]) == ("stopped", True)
    assert not is_held(home.lock)


@contextmanager
def daemon(home: Home) -> Iterator[Callable[[], int]]:
    """The real daemon runs inside, and is told to stop at the end."""
    if sys.platform == "win32":
        flags, ask_to_stop = subprocess.CREATE_NEW_PROCESS_GROUP, signal.CTRL_BREAK_EVENT
    else:
        flags, ask_to_stop = 0, signal.SIGTERM
    child = subprocess.Popen(
        [sys.executable, "-m", "qws", "run", "--home", str(home.root)],
        stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT, env=os.environ | {"QWS_LANGUAGE": "en"},
        creationflags=flags,
    )  # fmt: skip
    try:
        assert child.stderr is not None
        assert any("started" in line for line in child.stderr)
        yield child.wait
        child.send_signal(ask_to_stop)
        child.communicate(timeout=30)
    finally:
        child.kill()
        child.communicate()


def state(home: Home) -> object:
    status = as_json(home, "status")
    assert isinstance(status, dict)
    return status["state"]
