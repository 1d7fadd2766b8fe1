"""What a process and its files take, and whether that grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression, median

MB = 2**20
BAND = 0.05  # flat: every value within so much of the median


def bytes_below(folder: Path, pattern: str) -> int:
    """The bytes of all files of a pattern in a folder and the folders in it."""
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


def slope(points: Sequence[tuple[float, float]]) -> float:
    """By how much y grows with each x, over all points; 0 for fewer than two."""
    return linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else 0.0


def flatness(points: Sequence[tuple[float, float]]) -> dict[str, float | bool]:
    """Lowest, median and highest of y, its slope by x, and whether every y is within 5 % of the median."""
    values = [y for _, y in points]
    if not values:
        return {"is_flat": False}
    middle = median(values)
    return {
        "lowest": min(values),
        "median": round(middle, 2),
        "highest": max(values),
        "slope": round(slope(points), 3),
        "is_flat": all(abs(each - middle) <= BAND * middle for each in values),
    }
