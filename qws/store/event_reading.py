"""The journal's messages as other programs may read them: from the read models, beside the daemon or without it."""

from __future__ import annotations

from collections.abc import Sequence

from qws.store.reading import Record, Views

_EVENTS = """SELECT id AS seq, at, kind AS type, sender, corr AS correlation, cause, run_id AS run, line AS text,
    (SELECT body FROM event WHERE event.id = message.id) AS body FROM message"""


class Events(Views):
    """Read-only access to the messages."""

    def behind(self, after: int, count: int, *, types: Sequence[str] = (), run_id: str = "") -> list[Record]:
        """The first `count` messages numbered above `after`, in order; `body` is None when it is no longer kept."""
        sql, parameters = _chosen(types, run_id)
        return self._read(f"{_EVENTS} WHERE id > ? {sql} ORDER BY id LIMIT ?", str(after), *parameters, str(count))

    def newest_but(self, count: int, *, types: Sequence[str] = (), run_id: str = "") -> int:
        """The number behind which the newest `count` messages come."""
        sql, parameters = _chosen(types, run_id)
        # Only words of this file and question marks are put together here.
        rows = f"SELECT id FROM message WHERE true {sql} ORDER BY id DESC LIMIT ?"  # noqa: S608
        first = self._first(f"SELECT min(id) - 1 AS id FROM ({rows})", *parameters, str(count)).get("id")  # noqa: S608
        return self.applied_id() if first is None else int(str(first))

    def last_before(self, at: str) -> int:
        """The number of the newest message before a time, ISO text of Asia/Shanghai; 0 for none."""
        return int(str(self._first("SELECT max(id) AS id FROM message WHERE at < ?", at).get("id") or 0))

    def newest(self, *types: str) -> Record:
        """The newest message of any of these types."""
        return next(iter(self.behind(self.newest_but(1, types=types), 1, types=types)), {})

    def costs(self) -> dict[str, float]:
        """What a share of each holding has cost, in CNY; only where the broker says it."""
        rows = self._read("SELECT code, cost FROM position")
        return {str(row["code"]): float(str(row["cost"])) for row in rows if row["cost"]}


def _chosen(types: Sequence[str], run_id: str) -> tuple[str, tuple[str, ...]]:
    """Which messages: of these types, of this run; of any when empty."""
    kinds = f"AND kind IN ({', '.join('?' * len(types))})" if types else ""
    return f"{kinds} {'AND run_id = ?' if run_id else ''}", (*types, *([run_id] if run_id else []))
