"""The module `datacenter`: the quote side of the terminal. XTQUANT.md section 1.4."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable
from itertools import count
from types import ModuleType
from typing import Protocol

import numpy as np

from tests.xt_native import ticks
from tests.xt_native.terminal import SimTerminal

Told = Callable[[dict[str, object]], object]
_COLUMNS = "time open high low close volume amount settelementPrice openInterest preClose suspendFlag"
_WHOLE = {"time": "<i8", "volume": "<i8", "openInterest": "<i4", "suspendFlag": "<i4"}
_BARS = ("1d",)
_NOTHINGS = """
    rpc_init register_create_nparray get_local_server_port log_init start_init_quote get_status fetch_auth_markets
    fetch_init_result fetch_server_list_status listen shutdown set_allow_optmize_address set_config_dir
    set_data_home_dir set_future_realtime_mode set_index_mirror_enabled set_kline_cutting_mode
    set_kline_mirror_enabled set_quote_time_version set_thousand_source_mode set_token set_watch_market_list
    set_wholequote_market_list
    """


class Place(Protocol):
    """Where a quote client finds the terminal of this computer, and drops what callbacks raise."""

    package: str
    terminal: SimTerminal | None
    errors: list[BaseException]


class QuoteClient:
    """`IPythonApiClient`: one connection; its subscriptions die with it and nobody renews them."""

    place: Place

    def __init__(self) -> None:
        self._bson = importlib.import_module(f"{self.place.package}.xtbson")
        self._address = ""
        self._terminal: SimTerminal | None = None
        self._life = 0
        self._numbers = count(1)
        self._wanted: dict[int, Callable[[], None]] = {}
        self._lock = threading.Lock()
        self._is_over = threading.Event()
        self._pushing: threading.Thread | None = None

    def init(self) -> int:
        """Prepare."""
        return 0

    def load_config(self, path: str, section: str) -> int:
        """Read nothing."""
        del path, section
        return 0

    def set_config_addr(self, address: str) -> int:
        """Where the terminal is."""
        self._address = address
        return 0

    def connect(self) -> tuple[int, str]:
        """(0, "") when a terminal is running."""
        terminal = self.place.terminal
        if terminal is None or not terminal.is_alive:
            return -1, "connect failed"
        self._terminal, self._life = terminal, terminal.life
        return 0, ""

    def is_connected(self) -> bool:
        """Whether the terminal of this connection still lives."""
        terminal = self._terminal
        is_lost = terminal is None or not terminal.is_alive or terminal.life != self._life
        return not is_lost and not self._is_over.is_set()

    def shutdown(self) -> None:
        """End the connection and its pushes."""
        self._is_over.set()
        if self._pushing is not None and self._pushing is not threading.current_thread():
            self._pushing.join(5.0)

    def get_app_dir(self) -> str:
        return "."

    def get_peer_addr(self) -> str:
        return self._address

    def get_server_tag(self) -> bytes:
        return bytes(self._bson.BSON.encode({"tag": "sp3", "version": "1.0"}))

    def common_control(self, name: str, asked: bytes) -> bytes:
        """`commonControl`: every request is answered with an empty document."""
        del name, asked
        self._running()
        return bytes(self._bson.BSON.encode({}))

    def register(self, name: str, callback: Told) -> None:
        """`registerCommonControlCallback`: never called."""
        del name, callback

    def get_full_tick(self, codes: list[str]) -> str:
        """JSON of `{code: tick}`. Raises TypeError for a bare str."""
        if not isinstance(codes, list | tuple):
            raise TypeError("get_full_tick(): incompatible function arguments")
        terminal = self._running()
        if terminal.faults.strikes("quotes_hang"):
            terminal.hang()
        return json.dumps(terminal.ask(lambda: ticks.ticks(terminal, list(codes))))

    def get_instrument_detail(self, code: str) -> bytes:
        """One BSON document, or b""."""
        terminal = self._running()
        found = terminal.ask(lambda: ticks.record(terminal.market, code, terminal.now()))
        return b"" if found is None else bytes(self._bson.BSON.encode(found))

    def get_trading_dates_by_market(self, market: str, start: str, end: str, number: int) -> list[int]:
        """Midnights in China, in milliseconds."""
        terminal = self._running()
        if market not in ("SH", "SZ", "BJ"):
            return []
        return ticks.trading_dates(terminal.calendar, start, end, number, terminal.now())

    def get_holidays(self) -> list[int]:
        """Closed weekdays, yyyymmdd."""
        terminal = self._running()
        return ticks.holidays(terminal.calendar, terminal.now())

    def get_stock_list_in_sector(self, name: str, real_timetag: int) -> list[str]:
        """Every code of the market, whatever the sector is called."""
        del name, real_timetag
        terminal = self._running()
        return terminal.ask(lambda: list(terminal.market.bars.codes(terminal.now().date())))

    def bars(
        self, fields: list[str], codes: list[str], period: str, start: str, end: str, number: int, *others: object
    ) -> list[tuple[str, list[str], list[tuple[str, str, bytes]]]]:
        """`get_market_data3` for daily bars, version v4: (code, index, columns)."""
        if period not in _BARS or "v4" not in others:
            raise NotImplementedError(f"the fake native layer has no bars of {period}")
        terminal = self._running()
        answer = []
        for code in codes:
            rows = terminal.ask(
                lambda code=code: ticks.daily_bars(  # type: ignore[misc]
                    terminal.market, terminal.calendar, code, (str(start), str(end), number), terminal.now()
                )
            )
            columns = [column for column in _COLUMNS.split() if not fields or column in fields]
            packed = [
                (column, dtype := _WHOLE.get(column, "<f8"), np.array([row[column] for row in rows], dtype).tobytes())
                for column in columns
            ]
            answer.append((code, [str(row["day"]) for row in rows], packed))
        return answer

    def supply(self, *asked: object) -> None:
        """`supply_history_data`: everything is there already."""
        del asked
        self._running()

    def supply_many(self, codes: list[str], period: str, start: str, end: str, param: bytes, told: Told) -> bool:
        """`supply_history_data2`: progress comes from another thread."""
        del period, start, end, param
        terminal, total = self._running(), max(len(codes), 1)
        last = total // 2 if terminal.faults.download_stalls else total

        def work() -> None:
            for finished in range(1, last + 1):
                told({"finished": finished, "total": total, "stockcode": "", "message": ""})

        threading.Thread(target=work, name="native download", daemon=True).start()
        return True

    def subscribe_whole_quote(self, codes: list[str], param: bytes, told: Told | None) -> int:
        """First a full snapshot, then whatever changed: `{code: tick}`."""
        del param
        return self._subscribe(list(codes), lambda news: news, told)

    def subscribe_quote(self, meta: bytes, region: bytes, param: bytes, told: Told | None) -> int:
        """Ticks of one code: `{code: [tick]}`."""
        del region, param
        asked = self._bson.BSON.decode(meta)
        if asked["period"] != "tick":
            raise NotImplementedError(f"the fake native layer subscribes to no {asked['period']}")
        return self._subscribe([asked["stockCode"]], lambda news: {code: [each] for code, each in news.items()}, told)

    def unsubscribe_quote(self, number: int) -> int:
        """No more pushes of that subscription."""
        self._running()
        with self._lock:
            self._wanted.pop(number, None)
        return 0

    def _running(self) -> SimTerminal:
        if self._terminal is None or not self.is_connected():
            raise ConnectionError("行情服务连接断开")
        return self._terminal

    def _subscribe(
        self, codes: list[str], shape: Callable[[dict[str, object]], dict[str, object]], told: Told | None
    ) -> int:
        terminal, known = self._running(), dict[str, object]()

        def push() -> None:
            now = terminal.ask(lambda: ticks.ticks(terminal, codes))
            news: dict[str, object] = {code: each for code, each in now.items() if known.get(code) != each}
            known.update(news)
            if news and told is not None:
                told(shape(news))

        with self._lock:
            number = next(self._numbers)
            self._wanted[number] = push
            if self._pushing is None:
                self._pushing = threading.Thread(target=self._push, name="native quotes", daemon=True)
                self._pushing.start()
        return number

    def _push(self) -> None:
        while self.is_connected():
            with self._lock:
                wanted = list(self._wanted.items())
            for number, push in wanted:
                try:
                    if number in self._wanted:
                        push()
                except ConnectionError:
                    return
                except BaseException as error:  # noqa: BLE001 - as native code does
                    self.place.errors.append(error)
            if (terminal := self._terminal) is None or self._is_over.wait(terminal.quote_interval_s):
                return


def datacenter_module(name: str, place: Place) -> ModuleType:
    """A module as `datacenter`, whose clients find their terminal at `place`."""

    def nothing(*given: object) -> int:
        return 0

    members: dict[str, object] = {
        "place": place,
        "get_data_dir": lambda client: "",
        "commonControl": QuoteClient.common_control,
        "registerCommonControlCallback": QuoteClient.register,
        "get_market_data3": QuoteClient.bars,
        "supply_history_data": QuoteClient.supply,
        "supply_history_data2": QuoteClient.supply_many,
        "stop_supply_history_data2": nothing,
        "get_divid_factors": lambda client, code, start, end: {},
        "get_financial_data": lambda client, *asked: {},
    }
    module = ModuleType(name)
    setattr(module, "IPythonApiClient", type("IPythonApiClient", (QuoteClient,), members))  # noqa: B010
    for each in _NOTHINGS.split():
        setattr(module, each, nothing)
    return module
