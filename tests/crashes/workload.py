"""Weight files that always trade something: new names to buy, a few of the opening names to sell."""

from __future__ import annotations

from collections import Counter
from random import Random

from qws.home import Home
from tests.acceptance.living import drop, drop_bytes

# Each opening name is worth less than `DRIFT_BAND` of the account: named in a file it is left alone, absent it is sold.
OPENING = {f"600{number:03d}.SH": 700 for number in range(24)}
SETTINGS = {
    "cash": "100000000",
    "positions": '"opening.csv"',
    "drift_band": "0.0003",
    "in_place_settle_ms": "60",
    "sweep_s": "0.3",
    "absent_after_s": "1.0",
    "sell_wait_s": "3.0",
    "buy_wait_s": "3.0",
    "retention_days": "30",
}
_POOL = [f"{number:06d}.SZ" for number in range(1, 121)]
_BUYS, _SELLS = 6, 1
_COPY_EACH = 6  # every so many files, the bytes of an older one come again under another name


def write_opening(home: Home) -> None:
    """The account before the first file."""
    rows = ["stock_code,shares", *(f"{code},{shares}" for code, shares in OPENING.items()), ""]
    (home.root / "opening.csv").write_text("\n".join(rows), encoding="utf-8")


class Files:
    """Drops files one after the other and knows which of them were never answered."""

    def __init__(self, home: Home, chance: Random) -> None:
        self._home, self._chance = home, chance
        self._kept = list(OPENING)
        self.names: list[str] = []
        self.copies: list[str] = []
        self.cuts: Counter[str] = Counter()  # kills while a file had no result

    def drop_next(self) -> None:
        """One file with contents of its own; now and then a copy of it as well."""
        name = f"f{len(self.names):04d}.csv"
        sold = min(_SELLS, len(self._kept))
        self._kept = self._chance.sample(self._kept, len(self._kept) - sold)
        weights = dict.fromkeys(self._kept, "0.0002")
        for code in self._chance.sample(_POOL, _BUYS):
            weights[code] = f"0.00{self._chance.randint(500, 1500):04d}"
        if len(self.names) % _COPY_EACH == _COPY_EACH - 1:
            self._drop_copy()
        drop(self._home, name, weights)
        self.names.append(name)

    def unanswered(self) -> list[str]:
        """Files without a final result, copies without a receipt."""
        inbox = self._home.inbox
        results = {path.name.partition(".csv.")[0] + ".csv" for path in (inbox / "results").glob("*.result.json")}
        receipts = {path.name.removesuffix(".reason.txt") for path in (inbox / "rejected").glob("*.reason.txt")}
        return [name for name in self.names if name not in results] + [
            name for name in self.copies if name not in receipts
        ]

    def are_filed(self) -> bool:
        """Whether everything is answered and lies where it belongs."""
        claimed = self._home.inbox / ".claimed"
        return not self.unanswered() and not any(claimed.iterdir()) and not any(self._home.inbox.glob("*.csv"))

    def count_cut(self) -> None:
        """The daemon was killed."""
        self.cuts.update(self.unanswered())

    def _drop_copy(self) -> None:
        accepted = sorted((self._home.inbox / "accepted").glob("f*.csv"))
        if accepted:
            name = f"copy{len(self.copies):04d}.csv"
            drop_bytes(self._home, name, self._chance.choice(accepted).read_bytes())
            self.copies.append(name)
