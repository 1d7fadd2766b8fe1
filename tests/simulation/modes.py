"""The same days with files that are subsets or deltas, and some that expire."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.simulation.workload import Deed, Workload

_BRIEF = ("09", "10", "11", "13", "14")  # hours in which files expire
_HEADER = "date,stock_code,weight\n"


def moded(seed: int, workload: Workload) -> Workload:
    """The same people, who write lines above the header row of most files."""
    return replace(workload, deeds=[replace(deed, content=_moded(seed, deed)) for deed in workload.deeds])


def _moded(seed: int, deed: Deed) -> bytes:
    """What a file says, with a mode and an expiry by dice of its own: the same bytes become the same."""
    text = deed.content.decode()
    if not deed.what.startswith("drop") or not text.startswith(_HEADER) or not text[len(_HEADER) :].strip():
        return deed.content
    chance = Random(f"{seed}:{text}")
    mode, is_brief = chance.choice(("full", "subset", "subset", "delta", "delta")), chance.random() < 0.4
    rows = text[len(_HEADER) :]
    if mode == "delta":
        rows = "\n".join(_changed(line, chance) for line in rows.split("\n"))
    lines = [f"# mode: {mode}"]
    if is_brief:
        day = max(line.split(",")[0] for line in rows.split("\n") if line)
        lines.append(f"# expires: {day} {chance.choice(_BRIEF)}:{chance.randint(0, 59):02}")
    return "\n".join([*lines, _HEADER + rows]).encode()


def _changed(line: str, chance: Random) -> str:
    """Half of a weight, to be bought or to be sold."""
    day, _, rest = line.partition(",")
    code, _, weight = rest.partition(",")
    try:
        change = float(weight) / 2 * chance.choice((1, -1))
    except ValueError:
        return line
    return f"{day},{code},{change:.6f}"
