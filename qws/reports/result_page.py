"""The page beside a weight file: what was planned and traded, at what cost, what is left and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from html import escape

from qws.domain.plan import Outcome
from qws.domain.quality import Work, quality_of
from qws.domain.target_modes import LEFT_ALONE
from qws.domain.targets import DroppedRow, Mode
from qws.reports import markup, tracking
from qws.reports.figure import Language, page_of, percent
from qws.reports.markup import Column
from qws.reports.reasons import explained, said
from qws.reports.tear_sheet import QUALITY, quality_cells
from qws.reports.tear_words import WORDS as TEAR_WORDS

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "{status}: {file}",
        "line": "run {run}, target of {day}, ended {at:%Y-%m-%d %H:%M:%S}",
        "subset": "A subset: only names of the file were to be traded; {count} others were left alone.",
        "delta": "A delta: the weights in the file are changes; {count} other names were left alone.",
        "total_asset": "Total assets, CNY",
        "cash": "Cash, CNY",
        "fees": "Fees, CNY",
        "tracking_error": "Distance from the target",
        "names": "Names traded / planned",
        "weights": "Wanted and achieved",
        "residuals": "Not as wanted",
        "trades": "Orders and fills",
        "fills": "Every fill ({count})",
        "filtered": "Rows of the file that were filtered",
        "notes": "Noted on the way",
        "code": "Code",
        "side": "Side",
        "wanted": "Wanted",
        "achieved": "Achieved",
        "planned": "Planned",
        "filled": "Filled",
        "average": "Average",
        "mid": "Mid at first look",
        "slippage": "Slippage, bp",
        "value": "CNY",
        "fee": "Fee",
        "seconds": "Seconds",
        "time": "Time",
        "shares": "Shares",
        "price": "Price",
        "reason": "Reason",
        "row": "Row",
        "text": "What was read",
        "nothing": "Nothing was traded.",
    },
    "zh": {
        "title": "{status}: {file}",
        "line": "调仓 {run}, 目标日 {day}, 结束于 {at:%Y-%m-%d %H:%M:%S}",
        "subset": "部分目标: 只交易文件列出的证券; 其余 {count} 只保持不动。",
        "delta": "增量目标: 文件中的权重是增减量; 其余 {count} 只保持不动。",
        "total_asset": "总资产 (元)",
        "cash": "现金 (元)",
        "fees": "费用 (元)",
        "tracking_error": "与目标的偏离",
        "names": "已成交 / 计划 (只)",
        "weights": "目标与实际",
        "residuals": "与目标不同的",
        "trades": "委托与成交",
        "fills": "逐笔成交 ({count})",
        "filtered": "文件中被过滤的行",
        "notes": "过程中的提示",
        "code": "代码",
        "side": "方向",
        "wanted": "目标",
        "achieved": "实际",
        "planned": "计划股数",
        "filled": "成交股数",
        "average": "均价",
        "mid": "初始中间价",
        "slippage": "滑点 (bp)",
        "value": "金额 (元)",
        "fee": "费用",
        "seconds": "用时 (秒)",
        "time": "时间",
        "shares": "股数",
        "price": "价格",
        "reason": "原因",
        "row": "行",
        "text": "读到的内容",
        "nothing": "没有任何成交。",
    },
}
STYLE = (
    tracking.STYLE
    + markup.STYLE
    + "table.grid td { white-space: nowrap; } table.grid td:last-child { white-space: normal; }"
)


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: money in CNY, weights as fractions of total assets; `notes` are lines for people."""

    file: str
    run_id: str
    day: date
    status: str
    reason: str
    text: str
    at: datetime
    total_asset: Decimal | None
    cash: Decimal | None
    fees: Decimal
    tracking_error: Decimal | None
    outcomes: tuple[Outcome, ...]
    filtered: tuple[DroppedRow, ...]
    works: tuple[Work, ...]
    notes: tuple[str, ...]
    mode: Mode = Mode.FULL


def result_page(result: RunResult, language: Language) -> str:
    """The whole file as text; it needs nothing else, and every text in it is escaped."""
    words = WORDS[language]
    title = words["title"].format(status=said(result.status, language), file=result.file)
    parts = [f"<h1>{escape(title)}</h1>"]
    parts.append(markup.paragraph(words["line"].format(run=result.run_id, day=result.day, at=result.at)))
    if result.mode is not Mode.FULL:
        alone = sum(each.reason == LEFT_ALONE for each in result.outcomes)
        parts.append(markup.paragraph(words[result.mode].format(count=alone)))
    if result.reason or result.text:
        why = " ".join(filter(None, (explained(result.reason, language), result.text)))
        parts.append(markup.paragraph(why, "warning"))
    parts.append(markup.pairs(_money(result, language)))
    if result.outcomes:
        parts += [markup.heading(words["weights"]), tracking.weights_block(_weights(result, language), language)]
    parts += [*_residuals(result, language), *_trades(result, language), *_filtered(result, language)]
    if result.notes:
        parts += [markup.heading(words["notes"]), *map(markup.paragraph, result.notes)]
    return page_of(language=language, title=title, style=STYLE, body="\n".join(parts))


def _money(result: RunResult, language: Language) -> list[tuple[str, str]]:
    words, traded = WORDS[language], sum(1 for work in result.works if work.filled)
    error = None if result.tracking_error is None else float(result.tracking_error)
    return [
        (words["total_asset"], _number(result.total_asset, 2)),
        (words["cash"], _number(result.cash, 2)),
        (words["fees"], _number(result.fees, 2)),
        (words["tracking_error"], "-" if error is None else f"{error:.3%}"),
        (words["names"], f"{traded} / {len(result.works)}"),
    ]


def _weights(result: RunResult, language: Language) -> list[tracking.RunRow]:
    return [
        tracking.RunRow(each.code, float(each.wanted), float(each.achieved), _note(_missed(each), language))
        for each in result.outcomes
    ]


def _missed(outcome: Outcome) -> str:
    """Why a name is not as wanted; that nothing was wanted of it is no such reason."""
    return "" if outcome.reason == LEFT_ALONE else outcome.reason


def _note(reason: str, language: Language) -> str:
    return explained(reason, language) if reason else ""


def _residuals(result: RunResult, language: Language) -> list[str]:
    left = [each for each in result.outcomes if _missed(each)]
    if not left:
        return []
    rows = [
        (
            each.code,
            percent(float(each.wanted), signed=False),
            percent(float(each.achieved), signed=False),
            f"{each.planned:,}",
            f"{each.filled:,}",
            explained(each.reason, language),
        )
        for each in left
    ]
    columns = _columns(language, "code", "*wanted", "*achieved", "*planned", "*filled", "reason")
    return [markup.heading(WORDS[language]["residuals"]), markup.table(columns, rows)]


def _trades(result: RunResult, language: Language) -> list[str]:
    words, tear = WORDS[language], TEAR_WORDS[language]
    if not any(work.filled for work in result.works):
        return [markup.heading(words["trades"]), markup.paragraph(words["nothing"])]
    rows = [_trade(work, language) for work in result.works]
    names = ("code", "side", "*planned", "*filled", "*average", "*mid", "*slippage", "*value", "*fee", "*seconds")
    total = quality_cells(quality_of(result.works, result.fees))
    fills = [
        (f"{part.at:%H:%M:%S}", work.code, said(str(work.side), language), f"{part.shares:,}", f"{part.price:,}")
        for work in result.works
        for part in work.parts
    ]
    every = markup.table(_columns(language, "time", "code", "side", "*shares", "*price"), sorted(fills))
    return [
        markup.heading(words["trades"]),
        markup.table([Column(tear[name], is_number=True) for name in QUALITY], [total]),
        markup.paragraph(tear["execution_note"]),
        markup.table(_columns(language, *names), rows),
        markup.folded(words["fills"].format(count=len(fills)), every),
    ]


def _trade(work: Work, language: Language) -> Sequence[str]:
    slippage, fees = work.slippage_bp(work.arrival.mid), work.fees if work.filled else None
    return (
        work.code,
        said(str(work.side), language),
        f"{work.planned:,}",
        f"{work.filled:,}",
        _number(work.average, 3),
        _number(work.arrival.mid, 3),
        "-" if slippage is None else f"{slippage:+.1f}",
        _number(work.value, 0),
        _number(fees, 2),
        "-" if work.fill_s is None else f"{work.fill_s:,.1f}",
    )


def _filtered(result: RunResult, language: Language) -> list[str]:
    if not result.filtered:
        return []
    rows = [(str(each.row), each.code, explained(each.reason, language), each.text) for each in result.filtered]
    columns = _columns(language, "*row", "code", "reason", "text")
    return [markup.heading(WORDS[language]["filtered"]), markup.table(columns, rows)]


def _columns(language: Language, *names: str) -> list[Column]:
    """Columns by name; those below which numbers stand begin with a star."""
    return [Column(WORDS[language][name.lstrip("*")], name.startswith("*")) for name in names]


def _number(value: Decimal | None, places: int) -> str:
    return "-" if value is None else f"{value:,.{places}f}"
