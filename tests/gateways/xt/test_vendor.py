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
class XtQuantTraderCallback: ...
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
