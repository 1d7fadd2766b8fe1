"""Exchange and daemon are two processes: each of them may be killed at any moment."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from qws.cli.home import make_home
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.home import Home
from qws.store.reading import Views
from tests.acceptance.processes import Account, account_at, address_of, drop, finished_run, running, until

CODES = [f"{number:06d}.SZ" for number in range(1, 17)]
# Orders slow enough for a kill between two of them, sweeps quick enough for a test.
SETTINGS = {"QWS_LINK__SWEEP_S": "0.3", "QWS_LINK__ABSENT_AFTER_S": "1.5"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make_home(tmp_path / "home")


def consistent(account: Account) -> None:
    """Every tag once, and the fills of the day are the holdings."""
    asset, positions, orders, trades = account
    tags = [order.tag for order in orders]
    assert len(set(tags)) == len(tags)
    held: dict[str, int] = {}
    for trade in trades:
        held[trade.code] = held.get(trade.code, 0) + (trade.shares if trade.side is Side.BUY else -trade.shares)
    assert {position.code: position.shares for position in positions} == held
    assert asset.frozen == 0
    assert all(order.status.is_terminal for order in orders)


def one_final_result(home: Home, file: str) -> None:
    """The file has one finished run, and one answer beside it."""
    assert [run["file"] for run in Views(home.views).runs() if run["file"] == file] == [file]
    assert [path for path in (home.inbox / "accepted").iterdir() if file in path.name]


def views_agree(home: Home, account: Account) -> None:
    """The daemon knows what the exchange knows."""
    held = {code: row["shares"] for code, row in Views(home.views).positions().items()}
    assert held == {position.code: position.shares for position in account[1]}
    known = {fill["trade_id"] for fill in Views(home.views).fills()}
    assert {trade.trade_id for trade in account[3]} == known


def test_a_file_is_traded_at_an_exchange_of_its_own_process(home: Home) -> None:
    with running(home, "exchange", "--listen", "127.0.0.1:0") as exchange:
        address = address_of(home, exchange)
        with running(home, "check", QWS_PAPER__EXCHANGE=str(address)) as check:
            check.ended()
            assert f"the exchange at {address} answers" in check.text()
        with running(home, "run", QWS_PAPER__EXCHANGE=str(address)) as daemon:
            drop(home, "first.csv", CODES, "0.05")
            assert finished_run(home, "first.csv")["status"] == "completed"
            account = account_at(address)
            assert {position.code for position in account[1]} == set(CODES)
            consistent(account)
            views_agree(home, account)
            if sys.platform != "win32":  # there, to ask a process to end is to kill it
                assert daemon.stop() == 0
                assert exchange.stop() == 0


def test_an_exchange_killed_in_the_middle_of_a_run_loses_nothing(home: Home) -> None:
    with running(home, "exchange", "--listen", "127.0.0.1:0") as exchange:
        address = address_of(home, exchange)
        with running(home, "run", QWS_PAPER__EXCHANGE=str(address), **SETTINGS) as daemon:
            drop(home, "first.csv", CODES, "0.05")
            before = until(lambda: account if len((account := account_at(address))[2]) >= 4 else None, "orders")
            exchange.kill()
            until(lambda: "broker lost" in daemon.text(), "the daemon to notice")
            with running(home, "exchange", "--listen", str(address)) as again:
                address_of(home, again)
                after = account_at(address)
                assert {order.tag: order.order_id for order in before[2]}.items() <= {
                    order.tag: order.order_id for order in after[2]
                }.items()
                assert set(before[3]) <= set(after[3])
                assert finished_run(home, "first.csv")["status"] in ("completed", "incomplete")
                account = account_at(address)
                consistent(account)
                one_final_result(home, "first.csv")
                views_agree(home, account)
                drop(home, "second.csv", CODES, "0.0500")
                assert finished_run(home, "second.csv")["status"] == "completed"
                account = account_at(address)
                assert {position.code for position in account[1]} == set(CODES)
                consistent(account)
                views_agree(home, account)


def test_a_daemon_killed_while_its_exchange_lives_takes_the_run_up_again(home: Home) -> None:
    with running(home, "exchange", "--listen", "127.0.0.1:0") as exchange:
        address = address_of(home, exchange)
        with running(home, "run", QWS_PAPER__EXCHANGE=str(address), **SETTINGS) as daemon:
            drop(home, "first.csv", CODES, "0.05")
            until(lambda: len(account_at(address)[2]) >= 4, "orders")
            daemon.kill()
        working = {order.tag for order in account_at(address)[2]}
        until(lambda: all(order.status.is_terminal for order in account_at(address)[2]), "what was placed to trade")
        with running(home, "run", QWS_PAPER__EXCHANGE=str(address), **SETTINGS):
            until(lambda: len(account_at(address)[1]) == len(CODES), "the rest to be bought")
            assert finished_run(home, "first.csv")["status"] == "completed"
            account = account_at(address)
            consistent(account)
            assert all(order.status is OrderStatus.SUCCEEDED for order in account[2])
            assert {order.code for order in account[2]} == set(CODES)
            assert working <= {order.tag for order in account[2]}
            views_agree(home, account)


def test_a_daemon_waits_for_an_exchange_that_is_not_there_yet(home: Home) -> None:
    with running(home, "exchange", "--listen", "127.0.0.1:0") as exchange:
        address = address_of(home, exchange)
    with running(home, "run", QWS_PAPER__EXCHANGE=str(address)) as daemon:
        until(lambda: "waiting for the exchange" in daemon.text(), "the daemon to wait")
        drop(home, "first.csv", CODES[:3], "0.05")
        with running(home, "exchange", "--listen", str(address)):
            assert finished_run(home, "first.csv")["status"] == "completed"
            if sys.platform != "win32":
                assert daemon.stop() == 0


@pytest.mark.skipif(sys.platform == "win32", reason="there, to ask a process to end is to kill it")
def test_a_daemon_that_waits_for_its_exchange_can_be_stopped(home: Home) -> None:
    with running(home, "run", QWS_PAPER__EXCHANGE="127.0.0.1:9") as daemon:
        until(lambda: "waiting for the exchange" in daemon.text(), "the daemon to wait")
        assert daemon.stop() == 0


def test_a_home_has_one_exchange(home: Home) -> None:
    with running(home, "exchange", "--listen", "127.0.0.1:0") as exchange:
        address_of(home, exchange)
        for words in (("exchange", "--listen", "127.0.0.1:0"), ("run",)):
            with running(home, *words) as second:
                assert second.ended() == 3
                assert "exchange.lock" in second.text()


@pytest.mark.parametrize("listen", ["0.0.0.0:5000", "192.168.1.5:5000", "5000"])
def test_an_exchange_serves_this_computer_only(home: Home, listen: str) -> None:
    with running(home, "exchange", "--listen", listen) as exchange:
        assert exchange.ended() == 2
        assert "127.0.0.1:PORT" in exchange.text()
