"""What every actor remembers of a journal, as plain values, with a horizon and without one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

from qws.app import Ports, build
from qws.config import make_config
from qws.paper import open_paper
from qws.runtime.clock import SHANGHAI, LoopClock
from qws.store.horizon import HorizonJournal
from qws.store.inbox import InboxFolder
from qws.store.journal import InlineJournal
from qws.virtual import KeepNothing, inline
from tests.soak.verdict import Seen
from tests.soak.year import Group, settings

_OURS = ("qws.domain", "qws.run_", "qws.messages", "qws.alarms", "actors")
_ALL_DAYS = 10**6


class NoPages:
    """Pages that are made, for the sake of what they are made of, and written nowhere."""

    def write_receipt(self, *parts: object) -> bool:
        """Forget."""
        return True

    def write_result(self, *parts: object) -> bool:
        """Forget."""
        return True


def plain(value: object) -> object:
    """A value as dicts, lists and texts, whatever it is made of."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | deque):
        return [plain(each) for each in value]
    if isinstance(value, set | frozenset):
        return sorted(map(repr, value))
    if isinstance(value, partial):
        return [plain(each) for each in value.args]
    if isinstance(value, str | int | float | bytes | date | datetime | Decimal | None):
        return repr(value)
    if type(value).__module__.startswith(_OURS):
        names = [
            *getattr(value, "__dict__", ()),
            *(n for c in type(value).__mro__ for n in getattr(c, "__slots__", ())),
        ]
        return {name: plain(getattr(value, name)) for name in names if hasattr(value, name)}
    return type(value).__name__


def unlike(one: object, other: object, path: str) -> Iterator[str]:
    """Where two plain values differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from unlike(one.get(key), other.get(key), f"{path}.{key}")
    elif one != other:
        yield path


async def _remembered(journal: InlineJournal, run_days: int) -> dict[str, object]:
    clock, config = LoopClock(datetime(2026, 1, 20, 8, tzinfo=SHANGHAI)), make_config(settings(), "soak")
    paper = open_paper(config, Path(), clock, None, None)
    ports = Ports(
        paper.broker, paper.quotes, paper.calendar, paper.rules, InboxFolder(Path(), 1), KeepNothing(), None, inline,
        None, pages=NoPages(), channels=(Group(Seen()),),
    )  # fmt: skip
    system = build(config, ports, clock, journal, ())
    last_id = await journal.last_id()
    for cell in system.cells:
        cell.taken = last_id
        kinds = {kind.__name__: getattr(cell.actor, name) for kind, name in cell.contract.recalls.items()}
        async for envelope in HorizonJournal(journal, run_days).read(tuple(kinds)):
            kinds[type(envelope.body).__name__](envelope.body)
    paper.exchange.close()
    return {cell.contract.name: plain(cell.actor) for cell in system.cells}


async def differences(path: Path, run_days: int) -> tuple[int, int, list[str]]:
    """The first message of the horizon, the last one, and where memory differs from one without a horizon."""
    journal = await InlineJournal.open(path)
    try:
        first, last = await journal.horizon(run_days), await journal.last_id()
        whole, newest = await _remembered(journal, _ALL_DAYS), await _remembered(journal, run_days)
    finally:
        await journal.close()
    return first, last, [path for name in whole for path in unlike(whole[name], newest[name], name)]
