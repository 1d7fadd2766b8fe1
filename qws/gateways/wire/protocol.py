"""What travels between the exchange's process and its clients: one JSON object a line, decimals exact.

A client begins with `hello`; then every line it sends is a call with a number, and every answer repeats that number.
Lines with number 0 are nobody's answer: what happened at the exchange, and the question whether a client still lives.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Generic, Literal, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from qws.domain.account import Asset, Position
from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.errors import ConfigError, GatewayError

VERSION = 3
FRAME_MAX = 16 * 1024 * 1024  # bytes of one line; five thousand quotes need two million
DEADLINE_S = 5.0

A = TypeVar("A")
R = TypeVar("R")
Timed = TypeVar("Timed", BrokerOrder, Trade, Quote)
Role = Literal["trade", "read"]

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_PORT_MAX = 65_535
_CODES_MAX, _DAYS_MAX = 20_000, 1000
_SHARES_MAX, _DIGITS_MAX, _TEXT_MAX = 10**12, 20, 64
_YEARS = range(1990, 2200)
_STRICT = ConfigDict(extra="forbid")


class Address(NamedTuple):
    """Where an exchange listens: an address of this computer, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_address(text: str, *, named: str) -> Address:
    """Read `127.0.0.1:PORT`; raises ConfigError naming the setting: the protocol knows no password."""
    host, _, port = text.rpartition(":")
    try:
        address = Address(str(ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))), int(port))
        is_local = ipaddress.ip_address(address.host).is_loopback
    except ValueError as error:
        raise ConfigError(f"{named} = {text!r} is no address; write 127.0.0.1:PORT") from error
    if not is_local:
        raise ConfigError(f"{named} = {text!r} is not of this computer; write 127.0.0.1:PORT")
    if not 0 <= address.port <= _PORT_MAX:
        raise ConfigError(f"{named} = {text!r}: a port is a number from 0 to {_PORT_MAX}")
    return address


@checked(frozen=True, slots=True, config=_STRICT)
class Frame:
    """One line: the call's number (0: none), what it is about, and a value that the word gives a type."""

    id: Annotated[int, Field(ge=0, lt=2**63)]
    word: Annotated[str, Field(max_length=_TEXT_MAX)]
    body: object = None


@checked(frozen=True, slots=True)
class Hello:
    """Who comes; `trade` is for one client at a time, `read` for any number."""

    version: int
    role: Role
    pid: int


@dataclass(frozen=True, slots=True)
class Call(Generic[A, R]):
    """One method of a port: its word, the type of what it is asked with, the type of its answer."""

    word: str
    ask: TypeAdapter[A]
    answer: TypeAdapter[R]


def _in_shanghai(value: Timed) -> Timed:
    if value.at.tzinfo is None:
        raise ValueError("a time without a zone")
    return replace(value, at=value.at.astimezone(_SHANGHAI))


def _plausible(order: OrderRequest) -> OrderRequest:
    """Whatever an exchange could want to reject with a reason, and nothing that no account's file can hold."""
    digits = order.price.as_tuple().digits
    if abs(order.shares) > _SHARES_MAX or len(digits) > _DIGITS_MAX or abs(order.price.adjusted()) > _DIGITS_MAX:
        raise ValueError("no such quantity or price")
    if max(len(order.tag), len(order.code)) > _TEXT_MAX:
        raise ValueError("tag or code too long")
    return order


def _known_year(ask: tuple[str, date]) -> tuple[str, date]:
    if ask[1].year not in _YEARS:
        raise ValueError("no such year")
    return ask


_Name = Annotated[str, Field(max_length=_TEXT_MAX)]
_Report = Annotated[BrokerOrder, AfterValidator(_in_shanghai)]
_Fill = Annotated[Trade, AfterValidator(_in_shanghai)]
_Codes = Annotated[tuple[_Name, ...], Field(max_length=_CODES_MAX)]
_CodesDays = tuple[_Codes, Annotated[int, Field(ge=0, le=_DAYS_MAX)]]
_IndexDay = Annotated[tuple[_Name, date], AfterValidator(_known_year)]

NOTHING: TypeAdapter[None] = TypeAdapter(None)
TEXT: TypeAdapter[str] = TypeAdapter(str)
ORDER: TypeAdapter[BrokerOrder] = TypeAdapter(_Report)
TRADE: TypeAdapter[Trade] = TypeAdapter(_Fill)
_FRAME: TypeAdapter[Frame] = TypeAdapter(Frame)
_CODES: TypeAdapter[tuple[str, ...]] = TypeAdapter(_Codes)

HELLO: Call[Hello, None] = Call("hello", TypeAdapter(Hello), NOTHING)
PLACE: Call[OrderRequest, str] = Call(
    "place", TypeAdapter(Annotated[OrderRequest, AfterValidator(_plausible)]), TypeAdapter(_Name)
)
CANCEL: Call[str, None] = Call("cancel", TypeAdapter(_Name), NOTHING)
ASSET: Call[None, Asset] = Call("asset", NOTHING, TypeAdapter(Asset))
POSITIONS: Call[None, tuple[Position, ...]] = Call("positions", NOTHING, TypeAdapter(tuple[Position, ...]))
ORDERS: Call[None, tuple[BrokerOrder, ...]] = Call("orders", NOTHING, TypeAdapter(tuple[_Report, ...]))
TRADES: Call[None, tuple[Trade, ...]] = Call("trades", NOTHING, TypeAdapter(tuple[_Fill, ...]))
QUOTES: Call[tuple[str, ...], Mapping[str, Quote]] = Call(
    "quotes", _CODES, TypeAdapter(dict[str, Annotated[Quote, AfterValidator(_in_shanghai)]])
)
INSTRUMENTS: Call[tuple[str, ...], Mapping[str, Instrument]] = Call(
    "instruments", _CODES, TypeAdapter(dict[str, Instrument])
)
INDEX_CLOSE: Call[tuple[str, date], Decimal | None] = Call(
    "index_close", TypeAdapter(_IndexDay), TypeAdapter(Decimal | None)
)
DAILY_BARS: Call[tuple[tuple[str, ...], int], Mapping[str, tuple[DailyBar, ...]]] = Call(
    "daily_bars", TypeAdapter(_CodesDays), TypeAdapter(dict[str, tuple[DailyBar, ...]])
)


def frame(number: int, word: str, adapter: TypeAdapter[A], body: A) -> bytes:
    """The line; raises GatewayError when it would be longer than the other side takes."""
    line = b'{"id":%d,"word":"%s","body":%s}\n' % (number, word.encode("ascii"), adapter.dump_json(body))
    if len(line) > FRAME_MAX:
        raise GatewayError(f"{word}: {len(line)} bytes are more than the {FRAME_MAX} of one message; ask for less")
    return line


def parse_frame(line: bytes | bytearray) -> Frame:
    """Read a line; raises ValueError when it is none."""
    return _FRAME.validate_json(line)
