"""A stranger's `datacenter`: two shares and an index, at any hour."""

from __future__ import annotations

import importlib
import json
import struct
import time
from datetime import UTC, datetime, timedelta
from types import ModuleType

from stranger_trading import PRICES

INDEX = "000001.SH"
CHINA = timedelta(hours=8)


def today() -> datetime:
    """The present day in China, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None) + CHINA


class QuoteClient:
    """`IPythonApiClient`, nearly."""

    def __init__(self) -> None:
        self.is_up = False

    def init(self) -> None:
        """Nothing."""

    def load_config(self, path: str, section: str) -> int:
        return 0

    def set_config_addr(self, address: str) -> None:
        """Nothing."""

    def connect(self) -> list[object]:
        self.is_up = True
        return [0, ""]

    def is_connected(self) -> bool:
        return self.is_up

    def shutdown(self) -> None:
        self.is_up = False

    def get_app_dir(self) -> str:
        return "/nowhere"

    def get_peer_addr(self) -> str:
        return "127.0.0.1:58610"

    def get_server_tag(self) -> bytes:
        return bson({})

    def commonControl(self, name: str, request: bytes) -> bytes:
        return bson({})

    def registerCommonControlCallback(self, name: str, callback: object) -> None:
        """Nothing."""

    def get_full_tick(self, codes: list[str]) -> str:
        return json.dumps({code: tick(PRICES[code]) for code in codes if code in PRICES})

    def get_instrument_detail(self, code: str) -> bytes:
        return bson(record(code, PRICES[code])) if code in PRICES else b""

    def get_trading_dates_by_market(self, market: str, start: str, end: str, count: int) -> list[int]:
        midnight = today().replace(hour=0, minute=0, second=0, microsecond=0)
        days = [midnight - timedelta(days=number) for number in range(30, -1, -1)]
        return [int((day - CHINA).replace(tzinfo=UTC).timestamp()) * 1000 for day in days if day.weekday() < 5]

    def get_holidays(self) -> list[int]:
        return []

    def get_market_data3(self, fields: list[str], codes: list[str], period: str, start: str, *more: object) -> object:
        level = struct.pack("<d", 3500.25)
        return [(code, [start] if code == INDEX else [], [("close", "<f8", level)]) for code in codes if code == INDEX]


def tick(price: float) -> dict[str, object]:
    """Three levels only, volumes in lots, floats as they come."""
    return {
        "time": int(time.time() * 1000),
        "lastPrice": price + 1e-15,
        "lastClose": price,
        "volume": 1234,
        "openInt": 13,
        "askPrice": [price, price + 0.01, price + 0.02, 0.0, 0.0],
        "askVol": [50, 60, 70, 0, 0],
        "bidPrice": [price - 0.01, price - 0.02, price - 0.03, 0.0, 0.0],
        "bidVol": [50, 60, 70, 0, 0],
    }


def record(code: str, price: float) -> dict[str, object]:
    """The fields that the sample record of the vendor's documentation has, and no others."""
    return {
        "ExchangeID": code[-2:],
        "InstrumentID": code[:6],
        "InstrumentName": "股份",
        "PreClose": price,
        "UpStopPrice": price * 1.1,
        "DownStopPrice": price * 0.9,
        "PriceTick": 0.01,
        "InstrumentStatus": 0,
        "TradingDay": f"{today():%Y%m%d}",
    }


def bson(document: dict[str, object]) -> bytes:
    """By the vendor's own encoder."""
    return bytes(importlib.import_module("xtquant.xtbson").BSON.encode(document))


def module() -> ModuleType:
    """`datacenter`."""
    made = ModuleType("xtquant.datacenter")
    members = {"get_data_dir": lambda client: "/nowhere/datadir"}
    made.IPythonApiClient = type("IPythonApiClient", (QuoteClient,), members)  # type: ignore[attr-defined]
    made.rpc_init = lambda folder: 0  # type: ignore[attr-defined]
    made.register_create_nparray = lambda function: None  # type: ignore[attr-defined]
    made.get_local_server_port = lambda: 0  # type: ignore[attr-defined]
    return made
