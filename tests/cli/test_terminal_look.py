"""`qws plan` and `qws recover --dry-run` at a terminal: they tell what it holds, and ask it for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from qws.cli.recover import document
from qws.config import load_config
from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.errors import InvariantBroken
from qws.gateways.sim.books import Books, Opening, opened
from qws.gateways.sim.exchange import SimExchange
from qws.home import Home, account_lock
from qws.messages import PlaceOrder
from qws.paper import open_market, read_positions, tables
from qws.recovery import look_ahead
from qws.runtime.clock import SystemClock
from qws.store.lock import HomeLock, is_held
from qws.store.reading import Record
from qws.terminal_look import TerminalLook
from tests.acceptance.living import drop
from tests.cli.live import ACCOUNT, a_live_home
from tests.cli.rig import call, held
from tests.cli.test_recover_foretells import FIRST, START, a_config, contents, live, of, verdicts
from tests.cli.test_recover_foretells import drop as drop_of_the_day
from tests.gateways.sim_rig import an_exchange
from tests.xt_native import SimTerminal, ThreadClock
from tests.xt_native.rig import BOUGHT, CASH, HELD, attached
from tests.xt_native.watched import ORDERING, Watched, a_watched_terminal

QUICK = {"order_gap_s": "0", "query_gap_s": "0", "query_s": "0.5", "quote_s": "2", "connect_s": "1", "import_s": "9"}
Found = dict[str, list[Record]]


pytestmark = pytest.mark.usefixtures("user")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = a_live_home(tmp_path / "home", always_open=True, **QUICK)
    drop(home, "w.csv", {BOUGHT: "0.5"})
    return home


@pytest.fixture
def terminal() -> Iterator[Watched]:
    with attached(running := a_watched_terminal()):
        before = running.orders()
        yield running
        assert not running.senders & ORDERING
        assert [order.order_id for order in running.orders()] == [order.order_id for order in before]


@pytest.fixture
def shadow(home: Home) -> Home:
    text = home.config_file.read_text(encoding="utf-8").replace('mode = "live"', 'mode = "shadow"')
    home.config_file.write_text(text, encoding="utf-8")
    return home


def planned(home: Home) -> dict[str, tuple[str, int]]:
    """What `qws plan` would trade, by code."""
    answer = call(home, "plan", str(home.inbox / "w.csv"), "--json")
    assert (answer.code, answer.err) == (0, ""), answer
    assert ACCOUNT not in answer.out
    found = cast(Found, answer.json)
    return {str(row["stock_code"]): (str(row["side"]), cast(int, row["held"])) for row in found["plan"]}


def test_a_plan_is_made_for_what_the_terminal_holds_and_no_byte_of_the_home_changes(
    home: Home, terminal: Watched
) -> None:
    before = contents(home)

    assert planned(home) == {BOUGHT: ("buy", 200), HELD: ("sell", 3000)}
    assert contents(home) == before
    assert not is_held(account_lock(ACCOUNT))


def test_beside_a_daemon_or_another_home_of_the_account_nothing_is_asked(home: Home, terminal: Watched) -> None:
    file = str(home.inbox / "w.csv")
    with held(home):
        beside = call(home, "plan", file)
        recover = call(home, "recover", "--dry-run")
    account_lock(ACCOUNT).parent.mkdir(exist_ok=True)
    with HomeLock(account_lock(ACCOUNT)):
        other = call(home, "plan", file)
        behind = call(home, "recover", "--dry-run")

    assert (beside.code, recover.code, other.code, behind.code) == (3, 2, 3, 2)
    assert "stop it and ask again" in beside.err
    assert "qws status" in recover.err
    assert "another process trades this account" in other.err
    assert "another process trades this account" in behind.err
    assert terminal.senders == set()


def test_a_file_that_is_no_target_needs_no_terminal(home: Home) -> None:
    drop(home, "w.csv", {BOUGHT: "1.5"})
    answer = call(home, "plan", str(home.inbox / "w.csv"))

    assert (answer.code, answer.out) == (1, "")
    assert "sum_over_one" in answer.err


def test_a_terminal_that_is_not_there_is_said_at_once_and_needs_a_person(home: Home, terminal: Watched) -> None:
    terminal.die()
    plan = call(home, "plan", str(home.inbox / "w.csv"))
    recover = call(home, "recover", "--dry-run", "--json")
    terminal.revive()

    assert (plan.code, recover.code) == (3, 1)
    assert "connect answered -1" in plan.err
    found = cast(Found, recover.json)
    assert [alarm["code"] for alarm in found["alarms"]] == ["broker_silent"]
    assert "connect answered -1" in str(found["alarms"][0]["text"])


def test_a_plan_in_shadow_mode_is_for_the_account_on_paper_also_beside_the_daemon(
    shadow: Home, terminal: Watched
) -> None:
    assert planned(shadow) == {BOUGHT: ("buy", 200), HELD: ("sell", 3000)}  # begins as the terminal's, once it begins
    assert not shadow.shadow.exists()
    books = Books(shadow.shadow)
    books.turn(opened(Opening(CASH, ((BOUGHT, 700_000, 700_000),)), SystemClock().now().date()))
    books.close()
    before = contents(shadow)
    with held(shadow):
        assert planned(shadow) == {BOUGHT: ("sell", 700_000)}
    assert {path: each for path, each in contents(shadow).items() if path in before} == before


@pytest.mark.parametrize("mode", ["live", "shadow"])
def test_a_new_home_has_only_its_file_ahead(home: Home, terminal: Watched, mode: str) -> None:
    text = home.config_file.read_text(encoding="utf-8").replace('mode = "live"', f'mode = "{mode}"')
    home.config_file.write_text(text, encoding="utf-8")
    answer = call(home, "recover", "--dry-run", "--json")
    found = cast(Found, answer.json)

    assert (answer.code, answer.err) == (0, "")
    assert cast(Record, found["broker"])["orders"] == (2 if mode == "live" else 0)
    assert [row["verdict"] for row in found["runs"]] == ["planned"]
    assert list(home.state.iterdir()) == []


def test_what_a_kill_left_is_looked_up_at_the_terminal_and_left_alone(home: Home, tmp_path: Path) -> None:
    paper = a_config(home)
    (home.inbox / "w.csv").unlink()
    drop_of_the_day(home, "w.csv", FIRST)
    told = live(home, paper, START, of(PlaceOrder))
    intents = [each.body.order for each in told if isinstance(each.body, PlaceOrder)]
    config, clock = load_config(home.config_file), ThreadClock(told[-1].at + timedelta(seconds=2))
    rules, calendar = tables(paper, None)
    market, _, _ = open_market(paper, home.root, rules, calendar)
    reached, lost = intents[:1], intents[1:]

    def counter() -> SimExchange:
        exchange = an_exchange(market, told[-1].at, positions=read_positions(home.root / "p.csv"))
        for order in reached:
            exchange.submit(order, told[-1].at)
        return exchange

    with attached(terminal := SimTerminal(counter, market, calendar, clock)):
        found = cast(Found, document(look_ahead(home, config, clock.now(), TerminalLook(home, config, clock)), 60.0))
        (order,) = terminal.ask(lambda: terminal._desk._counter.orders(clock.now()))

    assert lost
    assert {each["tag"]: each["found"] for each in found["orders"]} == {
        **{each.tag: "found" for each in reached},
        **{each.tag: "not_listed" for each in lost},
    }
    assert list(verdicts(found).values()) == [("cut", "planned")]
    assert "CANCEL" not in order.status.name


def test_the_port_itself_refuses_to_place_and_to_cancel(home: Home, terminal: Watched) -> None:
    config = load_config(home.config_file)

    async def tempted() -> None:
        async with TerminalLook(home, config, SystemClock()).ports(None) as edges:
            with pytest.raises(InvariantBroken, match="places no order"):
                await edges.broker.place(OrderRequest("q1", BOUGHT, Side.BUY, 100, Decimal("10.00")))
            (working,) = [order for order in await edges.broker.orders() if not order.status.is_terminal]
            with pytest.raises(InvariantBroken, match="cancels no order"):
                await edges.broker.cancel(working.order_id)

    asyncio.run(tempted())


def test_the_paper_exchange_is_not_served_for_a_terminals_home(home: Home) -> None:
    answer = call(home, "exchange", "--listen", "127.0.0.1:0")

    assert answer.code == 2
    assert 'broker.kind = "xt"' in answer.err
    assert not home.exchange.exists()
