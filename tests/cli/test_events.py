"""`qws events`: every message of the journal once and in order, beside a real daemon too."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from qws.errors import StoreError
from qws.home import Home
from qws.messages import PlaceOrder
from qws.runtime.message import Envelope
from qws.store import views_schema
from qws.store.codec import decode
from qws.store.event_reading import Events
from qws.store.reading import Record
from qws.store.views import Projector
from qws.text import describe
from tests.acceptance.living import a_home, drop, living
from tests.cli.rig import ROOT, call, fill
from tests.store.samples import MOUTAI, a_run

FIELDS = ["seq", "at", "type", "sender", "correlation", "cause", "run", "text", "body"]


def rows(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_each_event_has_the_stable_fields_and_a_body_that_is_the_message(home: Home) -> None:
    fill(home, a_run())

    found = rows(call(home, "events", "--json", "-n", "999").out)

    assert [list(row) for row in found] == [FIELDS] * len(a_run())
    for row, envelope in zip(found, a_run(), strict=True):
        assert (row["seq"], row["correlation"], row["cause"]) == (envelope.id, envelope.corr, envelope.cause)
        assert (row["at"], row["sender"]) == (envelope.at.isoformat(), envelope.sender)
        assert decode(str(row["type"]), json.dumps(row["body"])) == envelope.body


def test_only_events_of_a_type_a_run_or_behind_a_number_or_a_time_are_printed(home: Home) -> None:
    fill(home, a_run())
    whole = a_run()

    def seqs(*words: str) -> list[object]:
        return [row["seq"] for row in rows(call(home, "events", "--json", *words).out)]

    assert seqs("-n", "2") == [each.id for each in whole][-2:]
    assert seqs("--type", "placeorder") == [each.id for each in whole if isinstance(each.body, PlaceOrder)]
    assert seqs("--type", "FillReceived", "-n", "1") == [14]
    assert set(seqs("--run", "last")) < {each.id for each in whole}
    assert {4, 9, 12, 17} <= set(seqs("--run", "R1"))
    assert seqs("--since", "12") == [each.id for each in whole if each.id > 12]
    assert seqs("--since", whole[11].at.isoformat()) == [each.id for each in whole if each.id > 11]
    assert seqs("--since", "999") == []
    assert seqs("-n", "0") == []
    assert f"PlaceOrder: buy 100 {MOUTAI}" in call(home, "events").out


def test_what_is_no_type_or_no_time_is_said(home: Home) -> None:
    fill(home, a_run())

    assert "PlaceOrder" in call(home, "events", "--type", "Placed").err
    assert call(home, "events", "--type", "Placed").code == 2
    assert "is no time" in call(home, "events", "--since", "yesterday").err
    assert call(home, "events", "--since", "25:99").code == 2


def test_old_bodies_are_let_go_and_their_events_stay(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qws.store.views.EVENTS_KEPT", 3)
    fill(home, a_run())

    found = rows(call(home, "events", "--json").out)

    assert [row["body"] is not None for row in found] == [False] * (len(found) - 3) + [True] * 3
    assert views_schema.EVENTS_KEPT >= 10_000


class Sitting:
    """What becomes of the tables while somebody follows."""

    def __init__(self, home: Home) -> None:
        self.views, self.path, self.waits = Events(home.views), home.views, 0
        self.rest = [a_run()[:5], a_run()[5:6], [], a_run()[6:]]

    def look(self, after: int) -> list[Record]:
        if self.waits == 3:
            self.waits += 1
            raise StoreError("the tables are being renewed")
        return self.views.behind(after, 2)

    def wait(self, seconds: float) -> None:
        assert 0 < seconds <= 1
        if self.waits == 2:  # the daemon begins anew, with fresh tables
            self.path.unlink()
            self.write([*a_run()[:6]])
        elif self.rest:
            self.write(self.rest.pop(0))
        self.waits += 1

    def write(self, batch: list[Envelope]) -> None:
        projector = Projector(self.path, describe)
        projector.apply(batch)
        projector.flush()
        projector.close()


def test_following_misses_and_repeats_nothing_while_tables_are_renewed(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    from qws.cli.events import followed

    sitting = Sitting(home)
    found = islice(followed(sitting.look, 0, 0.2, sitting.wait), len(a_run()))

    assert [row["seq"] for row in found] == [each.id for each in a_run()]
    assert "trying again" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_a_follower_beside_a_real_daemon_sees_every_message_of_the_journal_once(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    follower = None
    try:
        for life in range(2):
            with living(home) as daemon:
                daemon.until_ready()
                if follower is None:
                    follower = subprocess.Popen(
                        [sys.executable, "-m", "qws", "events", "--follow", "--json", "--since", "0",
                         "--home", str(home.root)],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
                    )  # fmt: skip
                drop(home, f"w{life}.csv", {"600519.SH": f"0.{life + 2}", "300750.SZ": "0.1"})
                daemon.until_runs_end()
                assert daemon.stop()[0] == 0
        assert follower is not None
        assert follower.stdout is not None
        last = Events(home.views).applied_id()
        told = [json.loads(line) for line in islice(follower.stdout, last)]
        follower.send_signal(signal.SIGINT)
        rest, err = follower.communicate(timeout=20)
    finally:
        if follower is not None:
            follower.kill()
    assert [row["seq"] for row in told] == list(range(1, last + 1))
    assert (rest, err, follower.returncode) == ("", "", 0)
    assert {"Started", "PlaceOrder", "FillReceived", "RunFinished", "Stopping"} <= {row["type"] for row in told}
    assert all(isinstance(row["body"], dict) for row in told)
