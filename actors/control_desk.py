"""What does a person at the command line order? Rows of the control table become messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from qws.messages import AlertAcknowledged, BackupDue, BackupEnded, ControlOrdered, OrderSettled
from qws.ports import Clock
from qws.runtime.actor import Actor


class Asked(Protocol):
    """One row of the control table that waits for an answer."""

    @property
    def id(self) -> int: ...
    @property
    def command(self) -> str: ...
    @property
    def argument(self) -> str: ...
    @property
    def by(self) -> str: ...


class ControlTable(Protocol):
    """Where other processes put orders and read answers."""

    def unanswered(self) -> Sequence[Asked]:
        """The rows that wait, oldest first; none while another program has the table locked."""
        ...

    def answer(self, id_: int, text: str, at: datetime) -> bool:
        """Tell the person what became of it; false while another program has the table locked."""
        ...


class ControlDesk(Actor):
    """Reads the control table often enough that an order is a journalled message within 200 ms."""

    on_crash = "restart"

    def __init__(self, table: ControlTable | None, clock: Clock, look_every_s: float) -> None:
        self._table, self._clock, self._look_every_s = table, clock, look_every_s
        self._lasting: set[int] = set()  # asked for, and answered when it is done
        self._untold: dict[int, str] = {}  # answers that another program's lock kept out of the table

    def on_backup_ended(self, msg: BackupEnded) -> None:
        if self._table is not None and msg.ask:
            self._answer(self._table, msg.ask, msg.problem or f"accepted: {msg.text}")

    async def source(self) -> AsyncIterator[ControlOrdered | OrderSettled | BackupDue | AlertAcknowledged]:
        while self._table is not None:
            for id_, text in tuple(self._untold.items()):
                self._answer(self._table, id_, text)
            for order in self._table.unanswered():  # what is yielded is durable when the source is asked to go on
                if order.id in self._untold:
                    continue
                if order.command == "backup":
                    if order.id not in self._lasting:
                        self._lasting.add(order.id)
                        yield BackupDue(order.argument, order.by, order.id)
                    continue
                if order.command == "settle":
                    tag, _, order_id = order.argument.partition(" ")
                    yield OrderSettled(tag, order_id, order.by)
                elif order.command == "ack":
                    yield AlertAcknowledged(tuple(order.argument.split()), order.by)
                elif order.command == "rebalance":
                    yield ControlOrdered(order.command, order.by, target_id=order.argument)
                else:
                    yield ControlOrdered(order.command, order.by, order.argument)
                self._answer(self._table, order.id, "accepted")
            await self._clock.sleep(self._look_every_s)

    def _answer(self, table: ControlTable, id_: int, text: str) -> None:
        """Answer now, or at the next look when the table is locked: what was told is not told again meanwhile."""
        if table.answer(id_, text, self._clock.now()):
            self._untold.pop(id_, None)
        else:
            self._untold[id_] = text
