"""The screen of `qws top`: lines of a terminal, none wider than it, as many as it has. ASCII frames: in Chinese
consoles lines and blocks may take two places."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from qws.cli.daemon_state import SILENT_MAX_S
from qws.cli.glance import HANGS, Glance, Holding, Progress
from qws.cli.table import heading
from qws.domain.orders import OrderStatus
from qws.domain.trading_state import TradingState
from qws.language import _, translated, word
from qws.sentences import localised
from qws.store.reading import Record
from qws.words import ORDER_STATUS

_BAR_MAX = 40
_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], " ")  # a file's name, a broker's words
_ABSENT = ("stopped", "never started")
_FINAL = frozenset({"completed", "incomplete", "refused", "superseded"})
_SEVERE = {"critical": "bold red", "warning": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}
_SEVERE |= {"WARNING": "yellow"}
_BESIDES = 12  # lines that are neither names, orders, alerts nor log


class _Cell(NamedTuple):
    """A text in so many places: above zero to the right, below to the left."""

    text: str
    places: int


def screen(seen: Glance, label: str, last_order_at: datetime | None, width: int, height: int) -> list[Text]:
    """Exactly `height` lines of at most `width` places."""
    shared = max(height - _BESIDES, 4)
    names = max(len(seen.holdings), 1)
    alerts = min(len(seen.alerts), max(shared // 6, 1))
    traded = min(len(seen.traded), max((shared - alerts) // 3, 1))
    held = min(names, max((shared - alerts - traded) // 2, 1))
    log = max(shared - alerts - traded - held, 1)
    lines = [
        *_head(seen, label, width),
        *_run(seen, last_order_at, width),
        *_holdings(seen, held, width),
        *_orders(seen, traded, width),
        *_alerts(seen, alerts, width),
        *_log(seen, log, width),
    ]
    lines += [Text()] * (height - len(lines))
    for line in lines:
        line.plain = line.plain.translate(_CONTROLS)
        line.truncate(width, overflow="crop")
        line.no_wrap = True
    return lines[:height]


def _head(seen: Glance, label: str, width: int) -> list[Text]:
    phase = word(seen.phase) if seen.phase and seen.state not in _ABSENT else "-"
    left, right = f" qws  {localised(label)}  {phase}", f"{seen.at:%Y-%m-%d %H:%M:%S} "
    return [Text(_row(_Cell(left, -(width - cell_len(right) - 1)), _Cell(right, cell_len(right))), "reverse"),
            _state(seen), _account(seen)]  # fmt: skip


def _state(seen: Glance) -> Text:
    if seen.state in _ABSENT:
        line = _("the daemon does not run; this is what it left at {at}")
        return Text(" " + line.format(at=_moment(seen.daemon.get("heartbeat_at"))), "bold red")
    if seen.state == HANGS or (seen.silent_s is not None and seen.silent_s > SILENT_MAX_S):
        return Text(" " + _("stale: no heartbeat for {seconds:.0f} s").format(seconds=seen.silent_s or 0.0), "bold red")
    text = Text(" ")
    halted = _("HALTED: nothing is sent until `qws resume`")
    reduced = _("only sells, until `qws resume`")
    told = {TradingState.HALTED: (halted, "bold red"), TradingState.REDUCE_ONLY: (reduced, "yellow")}
    text.append(*told.get(TradingState(seen.state) if seen.state in set(TradingState) else TradingState.ACTIVE,
                          (_("trading is on"), "green")))  # fmt: skip
    is_linked = seen.link == "LinkReady"
    text.append("   ")
    text.append(_("broker ready") if is_linked else _("broker not ready"), "green" if is_linked else "bold red")
    process = _("process {pid} since {at}").format(
        pid=seen.daemon.get("pid", "-"), at=_moment(seen.daemon.get("started_at"))
    )
    return text.append(f"   {process}")


def _account(seen: Glance) -> Text:
    if not seen.account:
        return Text(" " + _("the account has not been read yet"))
    total, value = _number(seen.account["total_asset"]), _number(seen.account["market_value"])
    line = _("total {total:,.2f}   cash {cash:,.2f}   in shares {invested:.1%}").format(
        total=total, cash=_number(seen.account["cash"]), invested=value / total if total else 0.0
    )
    text = Text(f" {line}")
    if seen.day_change is not None:
        text.append(f"   {seen.day_change:+.2%}", _signed(seen.day_change))
    return text.append(f"   {_brief(seen.account['at'], seen.at)}")


def _run(seen: Glance, last_order_at: datetime | None, width: int) -> list[Text]:
    run = seen.run
    if not run:
        wait = ", ".join(f"{each['file']} ({each['day']})" for each in seen.waiting)
        text = _("no run yet; waiting: {files}").format(files=wait) if wait else _("no run yet")
        return [_title(_("run"), width), Text(f" {text}"), Text(), Text()]
    status = str(run["status"])
    begun = f"{run['run_id']}  {run['file'] or ''}  {word(status)}"
    if int(_number(run["attempt"])) > 1:
        begun += "  " + _("attempt {number}").format(number=run["attempt"])
    line = Text(f" {begun}")
    if status in _FINAL:
        line.append(f"  {_moment(run['finished_at'])}")
        if run["tracking_error"] is not None:
            line.append("  " + _("tracking error {error:.3%}").format(error=_number(run["tracking_error"])))
    else:
        spent = (seen.at - datetime.fromisoformat(str(run["started_at"]))).total_seconds()
        line.append("  " + _("for {spent}").format(spent=_clock(spent)))
        if last_order_at is not None and last_order_at > seen.at:
            left = _clock((last_order_at - seen.at).total_seconds())
            line.append("  " + _("{left} left").format(left=left))
    if run["reason"]:
        told = str(run["text"] or "").removeprefix(f"[{run['reason']}] ")  # a held plan's text names its rules
        line.append(f"  [{run['reason']}] {localised(told)}", "yellow")
    return [_title(_("run"), width), line, _bar(_("sells"), seen.sells, width), _bar(_("buys"), seen.buys, width)]


def _bar(name: str, side: Progress, width: int) -> Text:
    told = _("{orders} orders, {working} working, {filled:,.0f} of {planned:,.0f} CNY").format(
        orders=side.orders, working=side.working, filled=side.filled, planned=side.planned
    )
    places = max(min(_BAR_MAX, width - cell_len(told) - 17), 5)
    done = round(side.share * places)
    percent = f"{side.share:.0%}" if side.planned else "-"
    text = Text(" " + set_cell_size(name, 6) + " [")
    text.append("#" * done, "green").append("." * (places - done), "dim")
    return text.append(f"] {percent:>4}  {told}")


def _holdings(seen: Glance, count: int, width: int) -> list[Text]:
    shown = seen.holdings[:count]
    more = f"{len(shown)}/{len(seen.holdings)}"
    title = _title(_("names: farthest from their weight first, {count}").format(count=more), width)
    heads = (_("code"), _("weight"), _("wanted"), heading("off"), _("shares"), _("value"), _("profit"))
    places = (-9, 8, 8, 8, 10, 14, 13)  # of 80 eight are left for the reason
    lines = [title, Text(" " + _row(*(_Cell(*each) for each in zip(heads, places, strict=True))), "bold")]
    return [*lines, *(_holding(each, places) for each in shown)]


def _holding(each: Holding, places: Sequence[int]) -> Text:
    wanted = "-" if each.wanted is None else f"{each.wanted:.2%}"
    off = "-" if each.wanted is None else f"{each.off:+.2%}"
    profit = "-" if each.profit is None else f"{each.profit:+,.0f}"
    cells = (each.code, f"{each.weight:.2%}", wanted, off, f"{each.shares:,}", f"{each.value:,.0f}")
    text = Text(" " + _row(*(_Cell(*pair) for pair in zip(cells, places[:-1], strict=True))))
    text.append(_row(_Cell(profit, places[-1])), _signed(each.profit or 0.0))
    return text.append(f" {each.reason}")


def _orders(seen: Glance, count: int, width: int) -> list[Text]:
    lines = [_title(_("orders of the run, newest first"), width)]
    for each in seen.traded[:count]:
        side = _("buy") if each["side"] == "buy" else _("sell")
        amount = f"{int(_number(each['filled'])):,}/{int(_number(each['shares'])):,}"
        cells = (_Cell(_moment(each["time"])[-8:], -9), _Cell(str(each["stock_code"]), -10), _Cell(side, -5),
                 _Cell(amount, 19), _Cell(f"@ {_number(each['price']):,.3f}", 13))  # fmt: skip
        lines.append(Text(f" {_row(*cells)}  {_status(each)} {each['message'] or ''}"))
    return lines


def _status(order: Record) -> str:
    name = str(order["status"]).upper()
    return translated(ORDER_STATUS[OrderStatus[name]]) if name in OrderStatus.__members__ else name.lower()


def _alerts(seen: Glance, count: int, width: int) -> list[Text]:
    text = _("alerts nobody has acknowledged: {count}").format(count=len(seen.alerts))
    return [_title(text, width), *map(_alert, seen.alerts[:count])]


def _alert(alert: Record) -> Text:
    line = Text(f" {_moment(alert['at'])[5:]}  ")
    return line.append(" ".join(str(alert["text"]).split()), _SEVERE.get(str(alert["severity"]), ""))


def _log(seen: Glance, count: int, width: int) -> list[Text]:
    lines = [_title(_("log"), width)]
    for each in seen.log[-count:]:
        who = _row(_Cell(each.get("actor", ""), -15))
        style = _SEVERE.get(each.get("level", ""), "")
        lines.append(Text(f" {each.get('at', '')[11:19]}  {who} ").append(each.get("text", ""), style))
    return lines


def _title(text: str, width: int) -> Text:
    return Text(f"- {text} " + "-" * max(width - cell_len(text) - 3, 0), "bold cyan")


def _row(*cells: _Cell) -> str:
    """Texts aligned by the places they take; what is too long is cut, so that columns stay columns."""
    parts = []
    for text, places in cells:
        room = abs(places)
        fitted = set_cell_size(text, room) if cell_len(text) > room else text
        blank = " " * (room - cell_len(fitted))
        parts.append(blank + fitted if places > 0 else fitted + blank)
    return "".join(parts)


def _moment(value: object) -> str:
    return str(value)[:19].replace("T", " ") if value else "-"


def _brief(value: object, now: datetime) -> str:
    """Without its day when that is today's."""
    moment = _moment(value)
    return moment[11:] if moment[:10] == f"{now:%Y-%m-%d}" else moment


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(int(seconds), 0), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def _signed(amount: float) -> str:
    """As in China: red is up."""
    return "red" if amount > 0 else "green" if amount < 0 else ""


def _number(value: object) -> float:
    return float(str(value)) if value is not None else 0.0
