"""Whatever the legaliser emits, the simulated exchange takes; and it turns down what is a little beyond."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal as D

import pytest

from qws.domain.legaliser import Child, Illegal, Legalised, legalise
from qws.domain.market import Board, Instrument, Kind, Quote, Side
from qws.domain.sessions import Phase
from qws.gateways.sim.quirks import PERFECT, Quirks
from tests.support.builders import BOOK
from tests.support.legal_world import FATES, MARGIN, Case, LegalWorld
from tests.support.reject_matrix import odd_lot_is_legal

# Before the main boards had a cage; old codes in Beijing; the rules of 2026 and the day before them; today's.
DAYS = (date(2023, 4, 7), date(2025, 3, 3), date(2026, 7, 3), date(2026, 7, 6), date(2026, 11, 19))
OPEN = (Phase.OPEN_CALL_CANCELLABLE, Phase.OPEN_CALL_LOCKED, Phase.CONTINUOUS, Phase.CLOSE_CALL)
SHALLOW = Quirks(shallow=0.2, missing=0.03)
SHARES = (Kind.STOCK, Kind.CDR)
Tally = Counter[object]


async def trade_a_day(day: date, seed: int, tally: Tally) -> None:
    """Legalise wishes in every minute of a day and place all that comes of them; none may be refused."""
    world, sent = LegalWorld(day, seed, SHALLOW), {}
    for now in world.moments():
        for case in await world.cases(now, 5, 0.0):
            outcome = legalise(case.wish, case.context)
            for child in outcome.children:
                sent[await world.send(child)] = (child, case)
            count(tally, world, case, outcome)
    wrong = [(message, *sent[tag]) for tag, message in world.refusals().items()]
    assert not wrong, f"{day}, seed {seed}: {wrong[0]}"


def count(tally: Tally, world: LegalWorld, case: Case, outcome: Legalised) -> None:
    """What the day reached, so that a property that holds for want of orders is seen."""
    record, quote, side = case.context.instrument, case.context.quote, case.wish.side
    tally["wishes"] += 1
    tally[f"{case.context.at:%H:%M}"] += 1
    if not outcome.children or quote is None:
        return
    is_one_sided = case.phase is Phase.CONTINUOUS and not case.context.halted and not (quote.bids and quote.asks)
    tally.update(("emitted", (record.board, side), (case.phase, side), record.kind, world.fates[record.code]))
    tally.update((outcome.clamp,) if outcome.clamp else ())
    tally["halted", side] += case.context.halted
    tally["one-sided book"] += is_one_sided
    tally["split"] += len(outcome.children) > 1
    tally["odd lot"] += any(child.shares % record.buy_min for child in outcome.children if side is Side.SELL)


def boards_of(day: date) -> set[Board]:
    return set(Board) - ({Board.BJ_OLD_CODE} if day > date(2025, 10, 8) else set())


@pytest.mark.parametrize("day", DAYS)
def test_the_exchange_takes_every_order_emitted_on_the_quote_of_the_moment(day: date) -> None:
    tally: Tally = Counter()
    for seed in range(6):
        asyncio.run(trade_a_day(day, seed, tally))

    assert tally["wishes"] >= 10_000
    assert tally["emitted"] >= tally["wishes"] // 3
    assert all(tally[f"{minute // 60:02d}:{minute % 60:02d}"] for minute in range(9 * 60 + 10, 15 * 60 + 6))
    reached: list[object] = [(board, side) for board in boards_of(day) for side in Side]
    reached += [(phase, side) for phase in OPEN for side in Side]
    reached += [("halted", side) for side in Side]
    reached += [kind for kind in Kind if kind not in (Kind.REPO, Kind.INDEX)]
    reached += [fate for fate in FATES if fate != "suspended"]
    reached += ["one-sided book", "split", "odd lot", "tick", "limit", "cage"]
    assert [each for each in reached if tally[each] < 10] == []


def spoiled(case: Case, outcome: Legalised) -> Iterator[tuple[str, Child]]:
    """What the exchange must turn down, and the code that it has to give, made of what was emitted or refused."""
    record, side = case.context.instrument, case.wish.side
    if outcome.reason == Illegal.SUSPENDED or case.phase in (Phase.PRE_OPEN, Phase.CLOSED):
        reason = "PHASE_CLOSED" if outcome.reason == Illegal.PHASE_CLOSED else "SUSPENDED"
        yield reason, Child(record.code, side, record.buy_min, record.prev_close)
    if not outcome.children:
        return
    first = outcome.children[0]
    for code, shares in spoiled_shares(case, first.shares):
        yield code, Child(first.code, side, shares, first.price)
    for code, price in spoiled_prices(case, outcome):
        yield code, Child(first.code, side, first.shares, price)


def spoiled_shares(case: Case, shares: int) -> Iterator[tuple[str, int]]:
    record, sellable = case.context.instrument, case.context.sellable
    lot, step, largest = record.buy_min, record.buy_step, record.order_max
    yield "QTY_MAX", largest + step
    if case.wish.side is Side.BUY:
        yield "QTY_MIN", lot - 1
        if step > 1 and shares < largest:
            yield "QTY_STEP", shares + 1
        cap = BOOK.st_buy_cap(record)
        if cap is not None and cap + lot <= largest:
            yield "ST_DAILY_CAP", cap + lot
    else:
        more = shares + 1
        if more <= min(sellable, largest) and not odd_lot_is_legal(lot, step, sellable, more):
            yield "QTY_ODD_LOT", more
        if sellable + lot <= largest:
            yield "INSUFFICIENT_SHARES", sellable + lot


def spoiled_prices(case: Case, outcome: Legalised) -> Iterator[tuple[str, D]]:
    record, price = case.context.instrument, outcome.children[0].price
    away = record.tick if case.wish.side is Side.BUY else -record.tick
    yield "BAD_TICK", price + away / 2
    edge = record.limit_up if case.wish.side is Side.BUY else record.limit_down
    if edge is not None and edge + away > 0:
        yield "PRICE_LIMIT", edge + away
    beyond = price + away
    if beyond <= 0 or price == edge:
        return
    if outcome.clamp == "cage":
        yield "PRICE_CAGE", beyond
    elif outcome.clamp == "limit" and edge is None and record.kind in SHARES:
        yield "NO_LIMIT_RANGE", beyond


async def spoil_a_day(day: date, seed: int, tally: Tally) -> None:
    world, sent = LegalWorld(day, seed, PERFECT), {}
    for now in world.moments():
        for case in await world.cases(now, 5, 0.0):
            for code, child in spoiled(case, legalise(case.wish, case.context)):
                sent[await world.send(child)] = (code, child, case)
    refused = {tag: message.split(":")[0] for tag, message in world.refusals().items()}
    wrong = [(refused.get(tag, "taken"), *each) for tag, each in sent.items() if refused.get(tag) != each[0]]
    assert not wrong, f"{day}, seed {seed}: {wrong[0]}"
    tally.update(refused.values())


def test_the_exchange_turns_down_what_is_one_step_beyond_what_is_emitted() -> None:
    tally: Tally = Counter()
    for day in DAYS[1:]:
        asyncio.run(spoil_a_day(day, 100, tally))

    codes = ("PHASE_CLOSED", "SUSPENDED", "BAD_TICK", "QTY_MIN", "QTY_STEP", "QTY_ODD_LOT", "QTY_MAX", "PRICE_LIMIT",
             "PRICE_CAGE", "NO_LIMIT_RANGE", "ST_DAILY_CAP", "INSUFFICIENT_SHARES")  # fmt: skip
    assert [code for code in codes if tally[code] < 20] == []
    assert set(tally) == set(codes)


def base_of(record: Instrument, side: Side, quote: Quote) -> D:
    """Where the cage is measured from, RULES.md section 6."""
    bid, ask = (levels[0].price if levels else None for levels in (quote.bids, quote.asks))
    ladder = (ask, bid) if side is Side.BUY else (bid, ask)
    return next(each for each in (*ladder, quote.last, record.prev_close) if each)


def promise(case: Case, live: Quote) -> str:
    """What keeps an order legal that was priced on an old quote; "nothing" where that is chance.

    Sure to be taken are orders where no cage applies, and in the cage those whose base has not moved against them, or,
    priced with the margin, by at most a fifth of the cage's width less one tick. (A quarter is given up; bounds are on
    the tick, and the live cage is a little narrower than the one seen.) Halts, their ends and the closing auction of
    days without a limit are measured from the last trade: there an old quote promises nothing.
    """
    context, side = case.context, case.wish.side
    record, seen = context.instrument, context.quote
    assert seen is not None
    if record.limit_up is None and (case.phase is not Phase.CONTINUOUS or context.halted or live.suspended):
        return "nothing"
    bound = BOOK.cage_bound(record, side, seen)
    if bound is None or case.phase is not Phase.CONTINUOUS:
        return "no cage"
    base = base_of(record, side, seen)
    against = (base - base_of(record, side, live)) * (1 if side is Side.BUY else -1)
    if against <= 0:
        return "base not worse"
    has_margin = (context.at - seen.at).total_seconds() > MARGIN.quote_age_max_s
    return "margin" if has_margin and against <= abs(bound - base) / 5 - record.tick else "nothing"


async def trade_a_day_late(day: date, seed: int, tally: Tally) -> None:
    world, sent = LegalWorld(day, seed, PERFECT), {}
    for now in world.moments():
        age_s = world.chance.choice((1.0, 4.0, 15.0, 60.0))
        for case in await world.cases(now, 5, age_s):
            for child in legalise(case.wish, case.context).children:
                live = await world.live_quote(child.code)
                sent[await world.send(child)] = (promise(case, live), child, case, live)
    refused = {tag: message.split(":")[0] for tag, message in world.refusals().items()}
    assert set(refused.values()) <= {"PRICE_CAGE", "NO_LIMIT_RANGE"}
    wrong = [(code, *sent[tag]) for tag, code in refused.items() if sent[tag][0] != "nothing"]
    assert not wrong, f"{day}, seed {seed}: {wrong[0]}"
    tally.update(each[0] for each in sent.values())
    tally["refused"] += len(refused)


def test_an_old_quote_costs_at_most_the_price_range_and_nothing_while_the_base_moves_little() -> None:
    tally: Tally = Counter()
    for day in DAYS[1:]:
        asyncio.run(trade_a_day_late(day, 200, tally))

    assert [each for each in ("no cage", "base not worse", "margin") if tally[each] < 100] == []
    assert tally["refused"] >= 10  # what is not promised does happen
