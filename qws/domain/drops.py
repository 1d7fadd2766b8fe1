"""What lies in the inbox, and when a file there is finished. RELIABILITY.md sections 1.5 and 3.D."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from qws.domain.targets import Refusal

READ_SUFFIXES = (".csv", ".xlsx", ".xls")
_IGNORED_SUFFIXES = (".tmp", ".part", ".crdownload", ".reason.txt")
_IGNORED_NAMES = frozenset({"desktop.ini", "thumbs.db"})
_HALT, _HALTED = "halt", ".accepted"
_RESERVED = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)})
_CUT_S, _CUT_MAX_S = 15.0, 120.0  # so long somebody may take to go on with a line that has no end; and in all
_NO_TEXT = b"\0 \t\x1a"  # in UTF-16 a line ends with a zero byte; old programs end a text with ^Z
_NAME_BYTES_MAX = 180  # a claimed file and its reason file get longer names; 255 bytes is the usual end
_SHOWN_MAX = 60
_NOTICE = "{name} was refused at {at:%Y-%m-%d %H:%M:%S}. Nothing of it will be traded.\n\n{reasons}\n{remedy}"
_DROP_AGAIN = "\nCorrect the file and drop it into the inbox again.\n"
_REMOVE = "\nIt was left in the inbox; remove it from there.\n"


@dataclass(frozen=True, slots=True)
class Look:
    """What a folder tells about one entry; two equal looks some time apart mean that nobody writes. Times in ns."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Drop:
    """An entry of the inbox; `whole` when its times show that it was finished elsewhere, `refusal` when never read."""

    name: str
    look: Look
    whole: bool
    refusal: Refusal | None

    @property
    def age_key(self) -> tuple[int, str]:
        """Sorts drops, the oldest first."""
        return self.look.mtime_ns, self.name


@dataclass(frozen=True, slots=True)
class Claimed:
    """A file taken out of the inbox: its own name, where it lies, and the hash of the bytes there."""

    name: str
    path: str
    sha256: str
    size_bytes: int


def is_ignored(name: str) -> bool:
    """Whether an entry is never touched or answered: unfinished downloads, lock files, our own reason files,
    and what asks for a halt."""
    name = name.casefold()
    is_unfinished = name.startswith((".", "~$")) or name.endswith(_IGNORED_SUFFIXES)
    return is_unfinished or name in _IGNORED_NAMES or name.partition(".")[0] == _HALT


def is_halt(name: str) -> bool:
    """Whether a file asks for a halt by its name, in any case and with any suffix; our receipts do not."""
    name = name.casefold()
    return name.partition(".")[0] == _HALT and not name.endswith(_HALTED)


def name_refusal(name: str) -> Refusal | None:
    """Why a file cannot be taken under this name on every system, or None. RELIABILITY.md 3.D fault 80."""
    if not all(_is_plain(letter) for letter in name) or name[-1:] in {".", " "} or _is_reserved(name):
        return Refusal("bad_name", "the name holds characters that cannot be used; rename it, such as weights.csv")
    if len(name.encode()) > _NAME_BYTES_MAX:
        return Refusal("bad_name", f"the name is longer than {_NAME_BYTES_MAX} bytes; shorten it, such as weights.csv")
    return None


def safe_name(name: str) -> str:
    """The name as it may be shown, journalled and written to any disk: itself where nothing is wrong with it."""
    if name_refusal(name) is None:
        return name
    plain = "".join(letter if _is_plain(letter) else "_" for letter in name)[:_SHOWN_MAX].rstrip(". ")
    return f"_{plain}" if _is_reserved(plain) or not plain else plain


def is_text(name: str) -> bool:
    """Whether a file is one of lines, as programs write them: the last one has an end as well."""
    return name.lower().endswith(".csv")


def is_cut(tail: bytes) -> bool:
    """Whether a text ends within a line, so that more of it may come; `tail` is the end of it."""
    ends = tail.rstrip(_NO_TEXT)[-1:]
    return bool(tail) and (not ends or ends not in b"\r\n")


def renamed_here(appeared: Collection[str], gone: Collection[str]) -> frozenset[str]:
    """The names that took the place of an unfinished one: `x.csv` or `x.xlsx` for `x.csv.tmp`, `x.tmp`."""
    sources = [name for name in gone if is_ignored(name)]
    return frozenset(
        name for name in appeared if any(source.lstrip("~$.").startswith(name.rpartition(".")[0]) for source in sources)
    )


def refusal_notice(name: str, at: datetime, refusals: Sequence[Refusal], *, is_moved: bool) -> str:
    """What the reason file beside a refused file says: when, every reason with its code, and what to do."""
    reasons = "\n".join(f"{refusal.code}: {refusal.text}" for refusal in refusals)
    remedy = _DROP_AGAIN if is_moved else _REMOVE
    if all(refusal.code == "duplicate" for refusal in refusals):  # nothing is wrong with it
        remedy = ""
    return _NOTICE.format(name=name, at=at, reasons=reasons, remedy=remedy)


@dataclass(slots=True)
class _Watched:
    drop: Drop
    since_s: float
    whole: bool
    not_before_s: float = 0.0
    is_cut: bool = False
    cut_since_s: float | None = None  # first seen to end within a line, whatever was written since
    is_answered: bool = False

    @property
    def is_quiet(self) -> bool:
        return not self.is_answered and self.not_before_s == 0.0


class Settling:
    """Decides when the drops it is shown are finished; times are monotonic seconds of one clock.

    A whole file is finished when it looks the same `settle_s` after its first look, others after
    `in_place_settle_s`, or after 15 s while it ends within a line; a change starts the wait again, of a text that never
    gets an end for two minutes at most. All wait at the same time and are told by (mtime, name).
    """

    def __init__(self, settle_s: float, in_place_settle_s: float) -> None:
        self._settle_s, self._in_place_s = settle_s, in_place_settle_s
        self._watched: dict[str, _Watched] = {}
        self._looked_s = 0.0

    def look(self, drops: Sequence[Drop], whole: Collection[str], now_s: float) -> list[Drop]:
        """Note what lies there now, `whole` naming what just arrived whole; returns what is finished, oldest first."""
        before, self._watched = self._watched, {}
        for drop in drops:
            known = before.get(drop.name)
            if known is None or known.drop.look.inode != drop.look.inode:
                known = _Watched(drop, now_s, drop.whole)
            elif known.drop.look != drop.look:
                # What was written here does not become whole when somebody touches its owner or its rights.
                known.drop, known.since_s, known.whole, known.is_cut = drop, now_s, known.whole and drop.whole, False
            known.whole = known.whole or drop.name in whole
            self._watched[drop.name] = known
        self._looked_s = now_s
        waiting = (known.drop for known in self._watched.values() if known.is_quiet and self._due_s(known) > now_s)
        oldest = min((drop.age_key for drop in waiting if drop.refusal is None), default=None)
        finished = [known.drop for known in self._watched.values() if self._due_s(known) <= now_s]
        # The file told last wins, so a newer one may not overtake an older one that is only waiting.
        ready = (drop for drop in finished if oldest is None or drop.refusal is not None or drop.age_key < oldest)
        return sorted(ready, key=lambda drop: drop.age_key)

    def knows(self, drop: Drop) -> bool:
        """Whether this name lay there at the last look."""
        return drop.name in self._watched

    def may_be_cut(self, drop: Drop) -> bool:
        """Whether the end of a finished file is still to be looked at: one that came whole is taken as it is."""
        known = self._watched[drop.name]
        return not known.whole and not known.is_cut and drop.refusal is None and is_text(drop.name)

    def expect_more(self, drop: Drop, now_s: float) -> bool:
        """The file ends within a line, and whoever wrote it may go on; false when there was time enough for that."""
        known = self._watched[drop.name]
        known.is_cut, known.cut_since_s = True, known.since_s if known.cut_since_s is None else known.cut_since_s
        return self._due_s(known) > now_s

    def postpone(self, drop: Drop, now_s: float) -> None:
        """Somebody holds the file: ask again after `in_place_settle_s`, or when told to hurry."""
        self._watched[drop.name].not_before_s = now_s + self._in_place_s

    def hurry(self) -> None:
        """Something happened in the folder: ask again about whatever was held."""
        for known in self._watched.values():
            known.not_before_s = 0.0

    def answered(self, drop: Drop) -> None:
        """It was refused where it lies: say nothing more until it is another thing or gone."""
        self._watched[drop.name].is_answered = True

    def forget(self, drop: Drop) -> None:
        """It was taken out of the folder."""
        self._watched.pop(drop.name, None)

    def wait_s(self, now_s: float) -> float:
        """Seconds until something may be finished; infinite when nothing waits."""
        due_s = (self._due_s(known) for known in self._watched.values())
        return max(0.0, min((due for due in due_s if due > self._looked_s), default=float("inf")) - now_s)

    def _due_s(self, known: _Watched) -> float:
        if known.is_answered:
            return float("inf")
        is_quick = known.whole and known.drop.look.size_bytes > 0 and known.drop.refusal is None
        due_s = max(known.since_s + (self._settle_s if is_quick else self._in_place_s), known.not_before_s)
        if not known.is_cut or known.cut_since_s is None:
            return due_s
        return max(due_s, min(known.since_s + _CUT_S, known.cut_since_s + _CUT_MAX_S))


def _is_plain(letter: str) -> bool:
    return letter not in '<>:"/\\|?*' and unicodedata.category(letter) not in {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def _is_reserved(name: str) -> bool:
    return name.partition(".")[0].rstrip(" ").casefold() in _RESERVED
