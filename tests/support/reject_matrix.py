"""The exchange's reject matrix, written anew from RULES.md sections 4 to 7 and 16, for orders of our making."""

from __future__ import annotations

from datetime import date, time
from decimal import ROUND_HALF_UP
from decimal import Decimal as D

from qws.domain.legaliser import Child, Context
from qws.domain.market import Board, Kind, Quote, Side

CAGED = {"600": "main", "000": "main", "001": "main", "300": "main", "309": "main", "688": "star", "689": "star",
         "920": "bse"}  # fmt: skip


def phase(board: Board, kind: Kind, day: date, at: time) -> str:
    """The clock of section 7, for the days after 2023-04-10."""
    has_closing_call = board is not Board.SH_BOND and (board is not Board.SH_FUND or day >= date(2026, 7, 6))
    starts = [("09:15", "call"), ("09:25", ""), ("09:30", "continuous"), ("11:30", ""), ("13:00", "continuous")]
    starts += [("14:57", "closing call"), ("15:00", "")] if has_closing_call else [("15:00", "")]
    return next((name for start, name in reversed(starts) if time.fromisoformat(start) <= at), "")


def to_tick(value: D, tick: D, rounding: str) -> D:
    return (value / tick).to_integral_value(rounding) * tick


def cage(code: str, side: Side, quote: Quote, tick: D) -> D | None:
    """The cage of section 6 from the live book."""
    if code[:3] not in CAGED:
        return None
    kind = CAGED[code[:3]]
    rate, ticks = {"main": (D("0.02"), 10), "star": (D("0.02"), 0), "bse": (D("0.05"), 10)}[kind]
    bid, ask = (levels[0].price if levels else None for levels in (quote.bids, quote.asks))
    ladder = (ask, bid) if side is Side.BUY else (bid, ask)
    base = next(each for each in (*ladder, quote.last, quote.prev_close) if each)
    sign = 1 if side is Side.BUY else -1
    width = max(base * rate, ticks * tick)
    bound = to_tick(base + sign * width, tick, ROUND_HALF_UP)
    return max(tick, base + sign * tick if abs(bound - base) < tick else bound)


def odd_lot_is_legal(lot_min: int, step: int, sellable: int, shares: int) -> bool:
    if not 0 < shares <= sellable:
        return False
    if step == 1:
        return shares >= lot_min or shares == sellable
    return shares % lot_min == 0 or shares % lot_min == sellable % lot_min


def rejection(order: Child, context: Context, sellable: int, bought: int) -> str:
    """The first row of the reject matrix that hits, or nothing; `context.quote` is the live book."""
    record, quote, tick, clock = context.instrument, context.quote, context.instrument.tick, context.at.time()
    assert quote is not None
    now = phase(record.board, record.kind, record.day, clock)
    if not now:
        return "PHASE_CLOSED"
    if record.suspended or (quote.suspended and not context.halted):
        return "SUSPENDED"
    if order.price <= 0 or order.price % tick:
        return "BAD_TICK"
    lot_min, step = (10, 10) if record.kind is Kind.CB else (100, 100)
    if record.board in (Board.SH_STAR, Board.BJ):
        lot_min, step = (200 if record.board is Board.SH_STAR else 100), 1
    largest = {Board.SH_STAR: 100_000, Board.SZ_CHINEXT: 300_000}.get(record.board, 1_000_000)
    if order.shares > min(record.order_max, 1_000_000_000 if record.kind is Kind.REIT else largest):
        return "QTY_MAX"
    if order.side is Side.BUY and (order.shares < lot_min or (order.shares - lot_min) % step):
        return "QTY_MIN or QTY_STEP"
    if order.side is Side.SELL and not odd_lot_is_legal(lot_min, step, sellable, order.shares):
        return "QTY_ODD_LOT or INSUFFICIENT_SHARES"
    if record.limit_up is not None and not (record.limit_down or 0) <= order.price <= record.limit_up:
        return "PRICE_LIMIT"
    bound = cage(record.code, order.side, quote, tick) if now == "continuous" and not context.halted else None
    if bound is not None and (order.price > bound if order.side is Side.BUY else order.price < bound):
        return "PRICE_CAGE"
    if record.limit_up is None and now == "call" and order.price > record.prev_close * 9:
        return "NO_LIMIT_RANGE"
    if record.limit_up is None and (now == "closing call" or (context.halted and now == "continuous")):
        last = quote.last or record.prev_close
        edges = [to_tick(last * share, tick, ROUND_HALF_UP) for share in (D("0.9"), D("1.1"))]
        if not edges[0] <= order.price <= edges[1]:
            return "NO_LIMIT_RANGE"
    cap = 200_000 if record.board is Board.BJ else 500_000
    is_capped = record.st and record.kind in (Kind.STOCK, Kind.CDR, Kind.B_SHARE)
    is_capped &= record.board is not Board.BJ or record.day >= date(2026, 8, 31)
    return "ST_DAILY_CAP" if is_capped and order.side is Side.BUY and bought + order.shares > cap else ""
