"""The audit chain: every row of the journal carries a hash of its content and of the hash before it.

A row that is altered, removed or moved breaks the chain where it stood. Who rewrites everything behind it, or cuts off
the end, is found by a head (number and hash of the last row) that was kept elsewhere: backups carry one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, cast

Row = tuple[int, int, int | None, str, str, str, str]  # id, corr, cause, at, sender, kind, body
Linked = tuple[int, int, int | None, str, str, str, str, bytes]
GENESIS = bytes(32)


class Head(NamedTuple):
    """The last row of a chain: its number, 0 before the first, and its hash."""

    id: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.id}:{self.hash.hex()}"


def link(previous: bytes, row: Row) -> bytes:
    """The hash of a row behind `previous`, 32 bytes. No field can hold the separator: JSON escapes it."""
    id_, corr, cause, at, sender, kind, body = row
    text = f"{id_}\x1f{corr}\x1f{cause}\x1f{at}\x1f{sender}\x1f{kind}\x1f{body}"
    return sha256(previous + text.encode("utf-8", "surrogatepass")).digest()


def linked(head: bytes, rows: Iterable[Row]) -> list[Linked]:
    """The rows with their hashes, behind `head`."""
    chained: list[Linked] = []
    for row in rows:
        head = link(head, row)
        chained.append((*row, head))
    return chained


@dataclass(slots=True)
class Walk:
    """Follows a chain row by row. `problem` names the first row that is not as it was written, "" while all are.

    `heads` are the hashes that rows had when somebody noted them, by number, with who says so.
    """

    heads: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    head: Head = Head(0, GENESIS)  # noqa: RUF009 - frozen
    rows: int = 0
    problem: str = ""

    def take(self, rows: Iterable[tuple[object, ...]]) -> bool:
        """Go on over these rows, as they were read; False from the first bad one on."""
        for row in rows:
            if self.problem or not self._follows(row):
                return False
        return not self.problem

    def _follows(self, row: tuple[object, ...]) -> bool:
        id_, at, kind, written = row[0], row[3], row[5], row[7]
        name, due = f"row {id_} ({kind}, {str(at)[:19]})", self.head.id + 1
        match row:
            case (int(), int(), int() | None, str(), str(), str(), str(), bytes()):
                content = cast("Row", row[:-1])
                is_sound = link(self.head.hash, content) == written
            case _:
                is_sound = False
        if not is_sound:
            missing = f"row {due} is" if id_ == due + 1 else f"rows {due} to {cast('int', id_) - 1} are"
            gone = isinstance(id_, int) and id_ > due
            what = f"{missing} missing before it" if gone else "it is not what was written, or was moved"
            self.problem = f"{name}: {what}"
            return False
        self.head, self.rows = Head(cast("int", id_), cast("bytes", written)), self.rows + 1
        known, who = self.heads.get(self.head.id, (written, ""))
        if known != written:
            self.problem = f"{name}: it, or a row before it, was rewritten; {who} has another hash of it"
        return not self.problem

    def end(self) -> str:
        """The first problem, also of an end that is missing."""
        beyond = max((id_ for id_ in self.heads if id_ > self.head.id), default=0)
        if not self.problem and beyond:
            self.problem = (
                f"rows {self.head.id + 1} to {beyond} are missing at the end: {self.heads[beyond][1]} has them"
            )
        return self.problem
