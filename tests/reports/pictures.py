"""What the tests of pictures share: made-up closes, a font that must exist, and readers of PNG and HTML."""

from __future__ import annotations

import os
import random
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from qws.reports.figure import find_font
from qws.store.archive import EquityRow

VOID_TAGS = {"meta", "link", "br", "hr", "img", "input"}


def some_closes(
    count: int, *, gaps: range = range(0), benchmark: bool = True, seed: int = 1, start: date = date(2025, 3, 3)
) -> list[EquityRow]:
    """Make closes of `count` weekdays, without benchmark at the positions in `gaps`."""
    dice, day, total, level = random.Random(seed), start, 1_000_000.0, 3300.0
    rows = []
    for at in range(count):
        while day.weekday() > 4:
            day += timedelta(days=1)
        rows.append(a_close(day, f"{total:.2f}", f"{level:.4f}" if benchmark and at not in gaps else None))
        total *= 1 + dice.gauss(0.0006, 0.011)
        level *= 1 + dice.gauss(0.0003, 0.008)
        day += timedelta(days=1)
    return rows


def a_close(day: date, total: str, benchmark: str | None) -> EquityRow:
    """Make one close."""
    at = datetime(day.year, day.month, day.day, 15, 5, tzinfo=ZoneInfo("Asia/Shanghai"))
    level = None if benchmark is None else Decimal(benchmark)
    return EquityRow(day, at, "close", None, Decimal(total), Decimal(0), Decimal(0), Decimal(total), level)


def require_chinese_font() -> None:
    """Skip where no installed font has Chinese glyphs; fail instead where CI promised to install one."""
    if find_font("上证指数超额收益") is None:
        if os.environ.get("CI"):
            pytest.fail("CI must install a Chinese font: apt-get install fonts-wqy-microhei")
        pytest.skip("no Chinese font is installed (Debian: fonts-wqy-microhei)")


class Png:
    """A decoded PNG: its size in pixels and the positions of its colours."""

    def __init__(self, path: Path) -> None:
        from matplotlib.image import imread

        assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
        self.pixels = (imread(path)[:, :, :3] * 255).round().astype(int)
        self.height, self.width = self.pixels.shape[:2]

    @property
    def inked(self) -> float:
        """The fraction of pixels that are not white."""
        return float((self.pixels.min(axis=2) < 250).mean())

    def widest_gap(self, colour: str, *, top: float, bottom: float) -> float:
        """The widest run of columns without this colour between its first and last, as a fraction of the width."""
        rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        strip = self.pixels[int(self.height * top) : int(self.height * bottom)]
        columns = (abs(strip - rgb).max(axis=2) < 12).any(axis=0).nonzero()[0]
        return float(max(later - earlier for earlier, later in pairwise(columns)) / self.width)


class Page(HTMLParser):
    """A parsed HTML file: well formed, its text, its attributes, its SVG elements as XML."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_bytes().decode("utf-8")
        self.open_tags: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(self.source)
        self.close()
        assert self.open_tags == []
        self.drawings = [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", self.source, re.DOTALL)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what is open; nothing may refer to the outside."""
        self.tags.append(tag)
        assert not {name for name, _ in attrs} & {"src", "href", "xlink:href", "srcset", "action"}
        if tag not in VOID_TAGS:
            self.open_tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count an element without content."""
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close what was opened last, or fail."""
        assert self.open_tags.pop() == tag

    def handle_data(self, text: str) -> None:
        """Collect the visible text."""
        self.text += text

    def is_offline(self) -> bool:
        """Whether the file asks for nothing from elsewhere."""
        return not re.search(r"https?:|//[a-z]|@import|url\(", self.source)

    def strokes(self, colour: str) -> list[str]:
        """The paths drawn as a line of this colour."""
        return [path.attrib["d"] for svg in self.drawings for path in svg.iter("path") if path.get("stroke") == colour]

    def dots(self, colour: str) -> int:
        """The number of dots of this colour."""
        return sum(dot.get("fill") == colour for svg in self.drawings for dot in svg.iter("circle"))
