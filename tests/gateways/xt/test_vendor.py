"""The vendor's modules come by any package name, quietly, and what is missing is said with a remedy."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from qws.errors import GatewayError
from qws.gateways.xt.vendor import VendorMissing, differences, load_quote_side, load_trade_side
from tests.xt_native import install

XTTRADER = """
class XtQuantTraderCallback:
    def on_disconnected(self): ...
    def on_stock_order(self, row): ...
    def on_stock_trade(self): ...
class XtQuantTrader:
    def __init__(self, path, session, callback=None): ...
    def start(self): ...
    def connect(self): ...
    def subscribe(self, account): ...
    def stop(self): ...
    def order_stock_async(self, account, stock_code, volume): ...
    def query_stock_asset_async(self, account, callback): ...
    def query_stock_positions_async(self, account, callback): ...
    def query_stock_orders_async(self, account, callback, cancelable_only=False): ...
    def query_stock_trades_async(self, account, callback): ...
    def query_account_status_async(self, callback): ...
"""

XTDATA = """
from . import datacenter
enable_hello = True
def connect(ip='', port=None): ...
def get_full_tick(code_list): return datacenter.tick
"""


XTTYPE = """
class StockAccount:
    def __init__(self, account_id, account_type='STOCK'): ...
class XtAsset:
    def __init__(self, account_id, cash, market_value): ...
class XtAccountStatus:
    def __init__(self, account_id, account_type, status): ...
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of the vendor's shape under another name, which asks the network for news of itself."""
    folder = tmp_path / "xtbridge"
    folder.mkdir()
    files = {
        "__init__": "raise SystemExit('called home')\ncheck_for_update('xtbridge')\n",
        "xttrader": "from . import xtpythonclient, xttype, xtconstant\n" + XTTRADER,
        "xttype": "class StockAccount:\n    def __init__(self, account_id): self.account_id = account_id\n",
        "xtconstant": "STOCK_BUY, STOCK_SELL, FIX_PRICE = 23, 24, 11\n",
        "xtdata": XTDATA,
        "xtpythonclient": "",
        "datacenter": "tick = {'600000.SH': {}}\n",
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "xtbridge"]:
        del sys.modules[name]


def test_a_package_of_another_name_is_used_without_what_it_does_at_import(package: Path) -> None:
    side, quotes = load_trade_side("xtbridge"), load_quote_side("xtbridge")

    assert (side.buy, side.sell, side.fix_price) == (23, 24, 11)
    assert quotes.get_full_tick(["600000.SH"]) == {"600000.SH": {}}
    assert sys.modules["xtbridge.xtdata"].__dict__["enable_hello"] is False
    assert "xtquant" not in str(sys.modules["xtbridge"].__path__)


def test_a_quiet_package_is_imported_as_it_is_and_its_prints_are_kept_off(
    package: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (package / "__init__.py").write_text("is_ready = True\nprint('hello')\n", encoding="utf-8")

    load_trade_side("xtbridge")

    assert sys.modules["xtbridge"].__dict__["is_ready"]
    assert capsys.readouterr().out == ""


def test_native_modules_that_somebody_installed_before_are_used(package: Path) -> None:
    for name in ("xtpythonclient", "datacenter"):
        (package / f"{name}.py").unlink()
        sys.modules[f"xtbridge.{name}"] = ModuleType(f"xtbridge.{name}")
    sys.modules["xtbridge.datacenter"].__dict__["tick"] = {"000001.SZ": {}}

    load_trade_side("xtbridge")

    assert load_quote_side("xtbridge").get_full_tick([]) == {"000001.SZ": {}}
    assert sys.modules["xtbridge"].__dict__["datacenter"] is sys.modules["xtbridge.datacenter"]


def test_a_missing_package_is_said_with_a_remedy() -> None:
    with pytest.raises(VendorMissing, match=r"nowhere\.xttrader cannot be imported.*\[xt\] package"):
        load_trade_side("nowhere")
    with pytest.raises(VendorMissing, match=r"nowhere\.at\.all\.xtdata cannot be imported"):
        load_quote_side("nowhere.at.all")
    with pytest.raises(VendorMissing, match=r"json\.decoder"):
        load_quote_side("json.decoder")


def test_a_missing_native_part_is_said_with_a_remedy(package: Path) -> None:
    (package / "xtpythonclient.py").unlink()

    with pytest.raises(VendorMissing, match=r"xtbridge\.xttrader cannot be imported.*xtpythonclient"):
        load_trade_side("xtbridge")


def test_the_installed_package_has_the_signatures_that_are_used() -> None:
    install()

    assert differences("xtquant") == ()


def test_a_package_with_other_signatures_is_told_apart_by_name(package: Path) -> None:
    found = differences("xtbridge")

    assert "cancel_order_stock_async is missing" in found
    assert "get_holidays is missing" in found
    assert any(text.startswith("order_stock_async takes account, stock_code, volume; expected") for text in found)
    assert not any("query_stock_orders_async" in text or "get_full_tick" in text for text in found)


def test_callbacks_constants_and_members_that_a_package_has_not_are_named(package: Path) -> None:
    (package / "xttype.py").write_text(XTTYPE, encoding="utf-8")
    found = differences("xtbridge")

    assert "the callback on_cancel_error is missing" in found
    assert "the callback on_stock_trade takes nothing; expected trade" in found
    assert not any("on_disconnected" in text or "on_stock_order" in text for text in found)
    assert "ORDER_JUNK is missing" in found
    assert not any(text.startswith(("STOCK_BUY", "StockAccount", "XtAccountStatus")) for text in found)
    assert "XtAsset lacks frozen_cash, total_asset" in found
    assert "XtCancelError is missing" in found


@pytest.mark.parametrize(
    ("constants", "said"),
    [
        (
            "STOCK_BUY, STOCK_SELL, FIX_PRICE = 24, 23, 11",
            "STOCK_BUY is 24, expected 23; STOCK_SELL is 23, expected 24",
        ),
        ("STOCK_BUY, STOCK_SELL, FIX_PRICE = '23', 24, 11", "STOCK_BUY is '23', expected 23"),
        ("STOCK_BUY, STOCK_SELL, FIX_PRICE = 23, 24, 5", "FIX_PRICE is 5, expected 11"),
        ("STOCK_BUY, STOCK_SELL, FIX_PRICE, ORDER_CANCELED = 23, 24, 11, 57", "ORDER_CANCELED is 57, expected 54"),
        ("STOCK_BUY, STOCK_SELL, FIX_PRICE, ACCOUNT_STATUS_OK = 23, 24, 11, 1", "ACCOUNT_STATUS_OK is 1, expected 0"),
        ("STOCK_SELL, FIX_PRICE = 24, 11", "xtbridge lacks what orders need: .*STOCK_BUY"),
        ("", "xtbridge lacks what orders need"),
    ],
)
def test_a_package_whose_constants_mean_something_else_is_refused(package: Path, constants: str, said: str) -> None:
    (package / "xtconstant.py").write_text(f"{constants}\n", encoding="utf-8")

    with pytest.raises(VendorMissing, match=f"{said}.*install the version"):
        load_trade_side("xtbridge")
    with pytest.raises(VendorMissing, match=said):
        differences("xtbridge")


def test_a_package_without_a_trader_is_refused(package: Path) -> None:
    (package / "xttrader.py").write_text("class XtQuantTraderCallback: ...\n", encoding="utf-8")

    with pytest.raises(VendorMissing, match=r"xtbridge lacks what orders need.*XtQuantTrader"):
        load_trade_side("xtbridge")


def test_h16_an_account_that_is_no_text_gives_a_text_and_no_account() -> None:
    install()

    assert isinstance(load_trade_side("xtquant").make_account(1000000365), str)  # type: ignore[arg-type]


def test_a_package_that_breaks_at_import_is_an_error_of_the_gateway(package: Path) -> None:
    from qws.gateways.xt.quotes import QuoteLine
    from qws.gateways.xt.settings import Deadlines

    (package / "xtdata.py").write_text("raise Exception('rpc init failed')\n", encoding="utf-8")

    async def body() -> None:
        line = QuoteLine("xtbridge", Deadlines())
        with pytest.raises(GatewayError, match="import: Exception: rpc init failed"):
            await line.ask("get_full_tick", lambda side: side.get_full_tick([]))
        line.close()

    asyncio.run(body())
