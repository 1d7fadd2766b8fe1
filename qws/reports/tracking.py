"""The picture of one run: wanted against achieved weight of every name, with the reason where it was not traded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from qws.reports.figure import (
    ACHIEVED,
    FAINT,
    GRID,
    INK,
    LATIN_FONT,
    UNTRADED,
    WANTED,
    Language,
    drawable,
    drawing_style,
    find_font,
    percent,
    percent_ticks,
    save_png,
    write_page,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST = 40
NOTE_CELLS = 58  # a Chinese character is two cells wide

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "code": "Code",
        "wanted": "Wanted",
        "achieved": "Achieved",
        "note": "Reason",
        "flagged": "Achieved, with a reason",
        "cash": "Cash (remainder)",
        "others": "Others ({count})",
        "noted": "{count} with a reason",
        "summary": "{count} names, {noted} with a reason, distance from the target {distance} of total assets",
    },
    "zh": {
        "code": "代码",
        "wanted": "目标",
        "achieved": "实际",
        "note": "原因",
        "flagged": "实际 (附原因)",
        "cash": "现金 (剩余)",
        "others": "其他 ({count})",
        "noted": "{count} 只附原因",
        "summary": "{count} 只, {noted} 只附原因, 与目标相差总资产的 {distance}",
    },
}


@dataclass(frozen=True, slots=True)
class RunRow:
    """One name after a run: weights as fractions of total assets; `note` says why it was not traded, or is empty."""

    code: str
    wanted: float
    achieved: float
    note: str


def distance(rows: Sequence[RunRow]) -> float:
    """Half the sum of |achieved - wanted| over all names and cash: the fraction of total assets in the wrong place."""
    return sum(abs(row.achieved - row.wanted) for row in (*rows, _cash(rows, "en"))) / 2


def _cash(rows: Sequence[RunRow], language: Language) -> RunRow:
    wanted, achieved = 1 - sum(row.wanted for row in rows), 1 - sum(row.achieved for row in rows)
    return RunRow(WORDS[language]["cash"], round(wanted, 12), round(achieved, 12), "")


def _ranked(rows: Sequence[RunRow]) -> list[RunRow]:
    return sorted(rows, key=lambda row: (-row.wanted, -row.achieved, row.code))


def shown_rows(rows: Sequence[RunRow], language: Language) -> list[RunRow]:
    """Arrange the rows: the 40 largest wanted weights, cash (what all names leave of 1), and the others summed up."""
    ranked, words = _ranked(rows), WORDS[language]
    rest = ranked[LARGEST:]
    arranged = [*ranked[:LARGEST], _cash(rows, language)]
    if rest:
        noted = sum(bool(row.note) for row in rest)
        wanted, achieved = sum(row.wanted for row in rest), sum(row.achieved for row in rest)
        note = words["noted"].format(count=noted) if noted else ""
        arranged.append(RunRow(words["others"].format(count=len(rest)), wanted, achieved, note))
    return arranged


def _barred(shown: Sequence[RunRow]) -> Sequence[RunRow]:
    # A sum of many names would dwarf the bars of single ones: it is shown in figures only.
    return shown[: LARGEST + 1]


def _span(barred: Sequence[RunRow]) -> tuple[float, float]:
    weights = [weight for row in barred for weight in (row.wanted, row.achieved)]
    return min(0.0, *weights), max(0.001, *weights)


def _summary(rows: Sequence[RunRow], language: Language) -> str:
    noted = sum(bool(row.note) for row in rows)
    return WORDS[language]["summary"].format(
        count=len(rows), noted=noted, distance=percent(distance(rows), signed=False)
    )


def plot_run_png(path: Path, *, title: str, rows: Sequence[RunRow], language: Language) -> Language:
    """Draw the run as a PNG of 1650 pixels width and return the language used.

    Chinese falls back to English where no installed font has the glyphs; a foreign character in the title or in a note
    that cannot be drawn becomes `?`.
    """
    from matplotlib.figure import Figure

    texts = title + "".join(row.code + row.note for row in rows)
    own = "".join(WORDS[language].values()) + "…→0123456789.%"
    family = find_font(own + texts) or find_font(own)
    if family is None:
        language, family = "en", LATIN_FONT
    shown = shown_rows(rows, language)
    height = 1.5 + 0.27 * len(shown)
    with drawing_style(family):
        figure = Figure(figsize=(11, height))
        figure.text(0.03, 1 - 0.38 / height, drawable(title, family), fontsize=15, color=INK)
        figure.text(0.03, 1 - 0.62 / height, _summary(rows, language), fontsize=9.5, color=FAINT)
        ax = figure.add_axes((0.14, 0.35 / height, 0.34, 1 - 1.35 / height))
        _draw_bars(ax, _barred(shown), language)
        ax.set_ylim(len(shown) - 0.4, -0.6)
        ax.set_yticks(range(len(shown)), [drawable(row.code, family) for row in shown], color=INK)
        for y, row in enumerate(shown):
            for x, text, side in _columns(row, family):
                ax.text(x, y, text, transform=ax.get_yaxis_transform(), ha=side, va="center", fontsize=9)
        save_png(figure, path)
    return language


def _draw_bars(ax: Axes, barred: Sequence[RunRow], language: Language) -> None:
    words, ys = WORDS[language], range(len(barred))
    ax.barh([y - 0.19 for y in ys], [row.wanted for row in barred], 0.34, color=WANTED, label=words["wanted"])
    colours = [UNTRADED if row.note else ACHIEVED for row in barred]
    ax.barh([y + 0.19 for y in ys], [row.achieved for row in barred], 0.34, color=colours)
    for colour, name in ((ACHIEVED, "achieved"), (UNTRADED, "flagged")):
        ax.barh([0], [0], color=colour, label=words[name])
    low, high = _span(barred)
    ax.set_xlim(low * 1.02, high * 1.02)
    ticks = percent_ticks(low, high, count=5)
    ax.set_xticks([value for value, _ in ticks], [label for _, label in ticks])
    ax.tick_params(length=0, labelsize=9)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=True, axis="x")
    ax.axvline(0, color="#98a2ad", linewidth=0.8)
    ax.legend(
        loc="lower left", bbox_to_anchor=(-0.015, 1), ncols=3, frameon=False, fontsize=9.5, handlelength=1.2,
        borderpad=0.2,
    )  # fmt: skip


def _columns(row: RunRow, family: str) -> list[tuple[float, str, str]]:
    note = _cut(drawable(row.note, family))
    wanted, achieved = percent(row.wanted, signed=False), percent(row.achieved, signed=False)
    return [(1.17, wanted, "right"), (1.2, "→", "left"), (1.42, achieved, "right"), (1.47, note, "left")]


def _cut(text: str) -> str:
    cells = 0
    for at, character in enumerate(text):
        cells += 2 if ord(character) > 0x2E80 else 1
        if cells > NOTE_CELLS:
            return text[: at - 1].rstrip() + "…"
    return text


STYLE = f"""
table {{ width: 100%; }}
th {{ text-align: left; font-weight: 400; color: {FAINT}; padding: 4px 14px 4px 0; white-space: nowrap; }}
td {{ padding: 4px 14px 4px 0; border-top: 1px solid {GRID}; vertical-align: middle; }}
td.weight, th.weight {{ text-align: right; white-space: nowrap; }}
td.code {{ white-space: nowrap; }}
td.bars {{ width: 42%; min-width: 160px; }}
td.note {{ min-width: 160px; }}
svg {{ height: 18px; }}
details {{ margin-top: 18px; }}
summary {{ cursor: pointer; color: {FAINT}; margin-bottom: 8px; }}
"""


def plot_run_html(path: Path, *, title: str, rows: Sequence[RunRow], language: Language) -> None:
    """Write the run as one HTML file that opens without a network; the names beyond the 40 largest can be unfolded."""
    body = f"<h1>{escape(title)}</h1>\n{weights_block(rows, language)}"
    write_page(path, language=language, title=title, style=STYLE, body=body)


def weights_block(rows: Sequence[RunRow], language: Language) -> str:
    """The bars and figures of all names as markup, for a page with this module's `STYLE`."""
    words, shown, rest = WORDS[language], shown_rows(rows, language), _ranked(rows)[LARGEST:]
    block = f'<p class="period">{escape(_summary(rows, language))}</p>\n'
    block += _table(shown, _barred(shown), words)
    if rest:
        label = escape(words["others"].format(count=len(rest)))
        block += f"\n<details><summary>{label}</summary>\n{_table(rest, rest, words)}\n</details>"
    return block


def _table(shown: Sequence[RunRow], barred: Sequence[RunRow], words: dict[str, str]) -> str:
    pairs = [_bar_pair(row, *_span(barred)) for row in barred] + [""] * (len(shown) - len(barred))
    swatches = ((WANTED, "wanted"), (ACHIEVED, "achieved"), (UNTRADED, "flagged"))
    legend = "".join(f'<span style="color:{colour}">■</span> {words[name]}&ensp; ' for colour, name in swatches)
    head = (
        f'<tr><th>{words["code"]}</th><th>{legend}</th><th class="weight">{words["wanted"]}</th>'
        f'<th class="weight">{words["achieved"]}</th><th>{words["note"]}</th></tr>'
    )
    lines = [
        f'<tr><td class="code">{escape(row.code)}</td><td class="bars">{pair}</td>'
        f'<td class="weight">{percent(row.wanted, signed=False)}</td>'
        f'<td class="weight">{percent(row.achieved, signed=False)}</td>'
        f'<td class="note">{escape(row.note)}</td></tr>'
        for row, pair in zip(shown, pairs, strict=True)
    ]
    return "<table>\n" + "\n".join((head, *lines)) + "\n</table>"


def _bar_pair(row: RunRow, low: float, high: float) -> str:
    colours = (WANTED, UNTRADED if row.note else ACHIEVED)
    rectangles = "".join(
        f'<rect x="{1000 * (min(weight, 0) - low) / (high - low):.1f}" y="{y}" height="8" '
        f'width="{1000 * abs(weight) / (high - low):.1f}" fill="{colour}"/>'
        for weight, y, colour in zip((row.wanted, row.achieved), (1, 9), colours, strict=True)
    )
    return f'<svg viewBox="0 0 1000 18" preserveAspectRatio="none" aria-hidden="true">{rectangles}</svg>'
