"""What the check before the open looks at: account, quotes and disk, read and never changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from qws.domain.account import does_not_add_up
from qws.domain.codes import classify
from qws.domain.market import Quote
from qws.domain.readiness import Problem, Seen
from qws.errors import GatewayError
from qws.ports import Broker, Clock, Offload, Quotes

_MB = 1_000_000
_TRIES = 3
_TRY_AGAIN_S = 2.0


class HomeWatch:
    """Looks through the ports of trading itself; `free_bytes` is of the home's disk."""

    def __init__(
        self, broker: Broker, quotes: Quotes, clock: Clock, offload: Offload, free_bytes: Callable[[], int]
    ) -> None:
        self._broker, self._quotes, self._clock = broker, quotes, clock
        self._offload, self._free_bytes = offload, free_bytes

    async def look(self, codes: Collection[str], *, is_linked: bool) -> Seen:
        """What is there now; an account is looked at three times, since its lists move while it is loaded."""
        faults, held = await self._account() if is_linked else ([], set[str]())
        wanted, quotes = frozenset({*codes, *held}), dict[str, Quote]()
        try:
            quotes = dict(await self._quotes.quotes(sorted(wanted))) if wanted else {}
        except GatewayError as error:
            faults.append(Problem("quotes_unreadable", str(error)))
        now = self._clock.now()
        try:
            free = await self._offload(self._free_bytes)
        except OSError as error:
            faults.append(Problem("disk_unreadable", str(error)))
            free = None
        return Seen(now, tuple(faults), wanted, tuple(quotes.values()), None if free is None else free // _MB)

    async def _account(self) -> tuple[list[Problem], set[str]]:
        problem, held = Problem(""), set[str]()
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(_TRY_AGAIN_S)
            try:
                asset, positions = await self._broker.asset(), await self._broker.positions()
            except GatewayError as error:
                problem = Problem("account_unreadable", str(error))
                continue
            held = {each.code for each in positions if each.shares and classify(each.code)}  # a right has no quotes
            text = does_not_add_up(asset, positions)
            if not text:
                return [], held
            problem = Problem("account_mismatch", text)
        return [problem], held


def free_bytes_of(folder: Path) -> int:
    """Bytes that are free on the disk of a folder. Raises OSError."""
    return shutil.disk_usage(folder).free
