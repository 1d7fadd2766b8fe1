"""`qws conformance` on a terminal: what it shows, and that nothing is ordered which nobody asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qws.arming import NotArmed, arm_home
from qws.cli import cli
from qws.cli.home import make_home
from qws.config import load_config
from qws.conformance.cards import CARDS
from qws.conformance.verdict import Scope
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.errors import ConfigError, GatewayError
from qws.home import Home, account_lock
from qws.runtime.clock import SystemClock
from qws.store.lock import HomeLock
from tests.cli.live import ACCOUNT, a_live_home
from tests.xt_native import Faults
from tests.xt_native.rig import BOUGHT, HELD, attached
from tests.xt_native.watched import ORDERING, Watched, a_watched_terminal

LOOK = ["--live", "--read-only"]
QUICK = {"order_gap_s": "0", "query_gap_s": "0", "query_s": "0.5", "quote_s": "2", "connect_s": "1", "import_s": "9"}


pytestmark = pytest.mark.usefixtures("user")


@pytest.fixture
def live(tmp_path: Path) -> Home:
    home = a_live_home(tmp_path / "home", always_open=True, **QUICK)
    arm_home(home, load_config(home.config_file), SystemClock().now(), "a test")
    return home


@pytest.fixture
def terminal() -> Iterator[Watched]:
    with attached(running := a_watched_terminal()):
        yield running


def conformance(home: Home, *words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["conformance", *words, "--home", str(home.root)], input=typed)


def verdicts(result: Result) -> dict[int, str]:
    return {each["card"]: each["result"] for each in json.loads(result.stdout)["cards"]}


def of(*scopes: Scope) -> set[int]:
    return {card.number for card in CARDS if card.scope in scopes}


def passed(result: Result) -> set[int]:
    return {number for number, verdict in verdicts(result).items() if verdict == "passed"}


def test_a_look_plays_every_card_that_reads_and_orders_nothing(live: Home, terminal: Watched) -> None:
    before = terminal.orders()
    result = conformance(live, *LOOK, "--json")

    assert (result.exit_code, result.stderr) == (0, "")
    assert list(verdicts(result)) == [card.number for card in CARDS]
    assert passed(result) == of(Scope.LOOK)
    assert set(verdicts(result).values()) == {"passed", "not_checked"}
    assert not terminal.senders & ORDERING
    assert terminal.orders() == before
    assert ACCOUNT not in result.stdout


def test_a_look_is_a_table_for_people(live: Home, terminal: Watched) -> None:
    result = conformance(live, *LOOK)
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert len(lines) == len(CARDS)
    assert all(card.sentence in line for card, line in zip(CARDS, lines, strict=True))
    assert "not checked  it places one order: ask for it with --one-lot" in lines[30]
    assert "2 orders, 2 of them not of this program" in lines[22]


def test_one_lot_needs_the_account_to_be_typed_and_leaves_nothing_behind(live: Home, terminal: Watched) -> None:
    result = conformance(live, "--live", "--one-lot", BOUGHT, "--json", typed=f"{ACCOUNT}\n")

    assert result.exit_code == 0
    assert passed(result) == of(Scope.LOOK, Scope.ONE_LOT)
    assert json.loads(result.stdout)["left"] == ""
    assert "buy 100 600000.SH at 9.00" in result.stderr
    assert terminal.senders >= ORDERING
    *_, order = terminal.orders()
    assert (order.code, order.side, order.shares, order.traded) == (BOUGHT, Side.BUY, 100, 0)
    assert order.status is OrderStatus.CANCELED
    assert len(terminal.orders()) == 3


@pytest.mark.parametrize("typed", ["1000000366\n", "yes\n", "\n", ""])
def test_another_answer_orders_nothing(live: Home, terminal: Watched, typed: str) -> None:
    result = conformance(live, "--live", "--one-lot", BOUGHT, typed=typed)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert not terminal.senders & ORDERING


def test_one_lot_orders_at_any_hour_only_where_that_was_armed(live: Home, terminal: Watched) -> None:
    live.armed.unlink()
    result = conformance(live, "--live", "--one-lot", BOUGHT, typed=f"{ACCOUNT}\n")

    assert isinstance(result.exception, NotArmed)
    assert not terminal.senders


def test_a_cancel_that_never_comes_is_said_aloud_and_fails(live: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qws.conformance.stand.PATIENCE_S", 1.0)
    monkeypatch.setattr("qws.conformance.verdict.PATIENCE_S", 1.0)
    with attached(a_watched_terminal(Faults(cancel_lost=100))):
        result = conformance(live, "--live", "--one-lot", BOUGHT, "--json", typed=f"{ACCOUNT}\n")

    assert result.exit_code == 1
    assert verdicts(result)[34] == "failed"
    assert "cancel it at the terminal" in json.loads(result.stdout)["left"]


def test_an_order_whose_answer_is_lost_is_cancelled_all_the_same(live: Home) -> None:
    with attached(terminal := a_watched_terminal(Faults(response_lost=1))):
        result = conformance(live, "--live", "--one-lot", BOUGHT, "--json", typed=f"{ACCOUNT}\n")
        *_, order = terminal.orders()

    assert result.exit_code == 1
    assert [verdicts(result)[number] for number in (31, 32, 33)] == ["failed", "not_checked", "not_checked"]
    assert order.status is OrderStatus.CANCELED


def test_an_order_of_a_connection_that_was_lost_is_cancelled_over_the_next(live: Home) -> None:
    with attached(terminal := a_watched_terminal(dies_after_an_order=True)):
        result = conformance(live, "--live", "--one-lot", BOUGHT, "--json", typed=f"{ACCOUNT}\n")
        *_, order = terminal.orders()

    assert result.exit_code == 1
    assert verdicts(result)[31] == "failed"
    assert json.loads(result.stdout)["left"] == ""
    assert order.status is OrderStatus.CANCELED


def test_without_a_terminal_the_first_card_says_why(live: Home) -> None:
    with attached(terminal := a_watched_terminal()):
        terminal.die()
        result = conformance(live, *LOOK, "--json")

    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert passed(result) == set()
    assert [each["card"] for each in found["cards"] if each["result"] == "failed"] == [21]
    assert "connect answered -1" in found["cards"][20]["text"]


def test_an_account_that_is_not_normal_is_not_waited_for(live: Home) -> None:
    with attached(terminal := a_watched_terminal()):
        terminal.status = 3
        result = conformance(live, *LOOK, "--json")

    assert "account status 3" in json.loads(result.stdout)["cards"][20]["text"]


def test_a_package_that_is_missing_fails_the_first_card(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home", always_open=True, package='"no_such_bridge"', **QUICK)
    result = conformance(home, *LOOK, "--json")

    assert result.exit_code == 1
    assert "no_such_bridge" in json.loads(result.stdout)["cards"][20]["text"]
    arm_home(home, load_config(home.config_file), SystemClock().now(), "a test")
    assert isinstance(conformance(home, "--live", "--one-lot", BOUGHT).exception, GatewayError)


def test_beside_another_process_that_trades_the_account_nothing_is_played(live: Home, terminal: Watched) -> None:
    account_lock(ACCOUNT).parent.mkdir()
    with HomeLock(account_lock(ACCOUNT)):
        result = conformance(live, *LOOK, "--json")

    assert result.exit_code == 1
    assert "another process trades this account" in json.loads(result.stdout)["cards"][20]["text"]


@pytest.mark.parametrize(
    "words", [[], ["--live"], ["--read-only"], ["--one-lot", BOUGHT], [*LOOK, "--one-lot", BOUGHT]]
)
def test_what_is_not_said_clearly_is_a_usage_error(live: Home, words: list[str]) -> None:
    result = conformance(live, *words)

    assert result.exit_code == 2
    assert "say --live and one of" in result.stderr


def test_a_paper_home_has_no_terminal_and_a_shadow_home_never_orders(tmp_path: Path, live: Home) -> None:
    paper = conformance(make_home(tmp_path / "paper"), *LOOK)
    text = live.config_file.read_text(encoding="utf-8").replace('mode = "live"', 'mode = "shadow"')
    live.config_file.write_text(text, encoding="utf-8")
    shadow = conformance(live, "--live", "--one-lot", BOUGHT, typed=f"{ACCOUNT}\n")

    assert isinstance(paper.exception, ConfigError)
    assert 'kind = "xt"' in str(paper.exception)
    assert isinstance(shadow.exception, ConfigError)
    assert "never orders" in str(shadow.exception)


@pytest.mark.parametrize(("code", "said"), [("600099.SH", "no record"), (HELD, "protected")])
def test_a_code_that_cannot_be_bought_is_refused_before_anybody_is_asked(
    live: Home, terminal: Watched, code: str, said: str
) -> None:
    text = live.config_file.read_text(encoding="utf-8")
    live.config_file.write_text(text.replace("protected = []", f'protected = ["{HELD}"]'), encoding="utf-8")
    arm_home(live, load_config(live.config_file), SystemClock().now(), "me")
    result = conformance(live, "--live", "--one-lot", code, typed=f"{ACCOUNT}\n")

    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)
    assert not terminal.senders & ORDERING
