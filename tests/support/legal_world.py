"""Random session days of the paper exchange, and one account on it as the legaliser's caller sees it: by the ports."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal as D
from random import Random

from qws.domain.codes import classify
from qws.domain.legaliser import CageMargin, Child, Context, Wish
from qws.domain.market import Instrument, Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.domain.sessions import Phase
from qws.gateways.sim.agenda import Latency
from qws.gateways.sim.bars import Bar
from qws.gateways.sim.books import Books, Opening
from qws.gateways.sim.broker import PaperBroker, PaperQuotes
from qws.gateways.sim.exchange import SimExchange
from qws.gateways.sim.market import second_of_day
from qws.gateways.sim.quirks import Quirks
from tests.gateways.sim_rig import PLAN, FixedBars, a_market, at, let_go
from tests.support.builders import BOOK, HandClock

MARGIN = CageMargin(3.0, D("0.25"))
ENOUGH_CASH = D(10) ** 18
WORKING_MAX = 20  # older orders are cancelled, so that shares come free again
# Every board and kind for which the rule book has a record; 87 is a Beijing code until October 2025.
PREFIXES = (
    "600.SH", "601.SH", "603.SH", "688.SH", "689.SH", "900.SH", "000.SZ", "0010.SZ", "002.SZ", "200.SZ", "300.SZ",
    "301.SZ", "3098.SZ", "920.BJ", "87.BJ", "510.SH", "518.SH", "588.SH", "159.SZ", "501.SH", "16.SZ", "508.SH",
    "180.SZ", "113.SH", "123.SZ",
)  # fmt: skip
FATES = (
    "calm", "wild", "up_locked", "down_locked", "ends_up", "ends_down", "warned", "warned_locked", "new", "delisting",
    "ex_rights", "suspended", "new",
)  # fmt: skip


def a_code(prefix: str, chance: Random) -> str:
    """Any code of a range such as 600.SH."""
    digits, suffix = prefix.split(".")
    while True:
        code = f"{digits}{chance.randrange(10 ** (6 - len(digits))):0{6 - len(digits)}d}.{suffix}"
        if classify(code) is not None:
            return code


def a_bar(record: Instrument, fate: str, listing_day: int | None, chance: Random) -> Bar:
    """The prices of a day that ends as `fate` says; a first day of delisting is a day whose bar no limit explains."""
    tick, prev = record.tick, int(record.prev_close / record.tick)
    low = max(1, prev // 2) if record.limit_down is None else int(record.limit_down / tick)
    high = 3 * prev if record.limit_up is None else int(record.limit_up / tick)
    if fate == "calm":
        low, high = prev - (prev - low) // 4, prev + (high - prev) // 4
    if fate in ("delisting", "ex_rights"):
        middle = max(1, int(prev * chance.choice((0.2, 0.4, 0.55, 1.6, 2.5))))
        low, high = max(1, int(middle * chance.uniform(0.35, 1))), int(middle * chance.uniform(1, 1.8)) + 1
    opened, close = chance.randint(low, high), chance.randint(low, high)
    if fate in ("up_locked", "warned_locked"):
        opened = close = low = high
    elif fate == "down_locked":
        opened = close = high = low
    elif fate == "ends_up":
        close, low = high, chance.randint(low, opened)
    elif fate == "ends_down":
        close, high = low, chance.randint(opened, high)
    elif record.limit_up is None:
        high, low = max(opened, close, int(opened * chance.uniform(1, 1.8))), min(opened, close)
    is_reference = fate in ("delisting", "new")
    opens, tops, bottoms, closes = (each * tick for each in (opened, high, low, close))
    return Bar(opens, tops, bottoms, closes, record.prev_close, is_reference, record.st, listing_day)


def drawn_bars(day: date, chance: Random) -> tuple[FixedBars, dict[str, str]]:
    """Two codes of each range, and what became of each on that day."""
    bars, fates, turn = FixedBars({}), {}, chance.randrange(len(FATES))
    for number, prefix in enumerate((*PREFIXES, *PREFIXES)):
        code, fate = a_code(prefix, chance), FATES[(number + turn) % len(FATES)]
        listing_day = chance.randint(1, 6) if fate == "new" else None
        try:
            tick = BOOK.instrument(code, day, D(1)).tick
        except ValueError:  # a range that was closed by then
            continue
        prev_close = int(10 ** chance.uniform(0.3, 4.7)) * tick
        record = BOOK.instrument(code, day, prev_close, st=fate.startswith("warned"), listing_day=listing_day)
        fates[code] = fate
        if fate == "suspended":
            bars.closes[code] = prev_close
        else:
            bars.bars[code] = a_bar(record, fate, listing_day, chance)
    return bars, fates


def holdings(record: Instrument, chance: Random) -> tuple[str, int, int]:
    """Nothing, an odd lot, a few lots or much more than a day sells; all of it or a part may be sold today."""
    plenty = 60 * record.order_max
    shares = chance.choice((0, chance.randint(1, 300), chance.randint(1, 20_000), plenty, plenty, plenty))
    shares += chance.choice((0, chance.randint(1, 999)))
    return record.code, shares, chance.choice((shares, shares, shares - shares // 3, chance.randint(0, shares)))


@dataclass(frozen=True, slots=True)
class Case:
    """A wish, and what its legality hangs on."""

    wish: Wish
    context: Context
    phase: Phase


class LegalWorld:
    """One account on one random day; everything is drawn from the day and the seed."""

    def __init__(self, day: date, seed: int, quirks: Quirks) -> None:
        self.chance, self.day = Random(f"{seed}:{day}"), day
        bars, self.fates = drawn_bars(day, self.chance)
        self.codes = tuple(self.fates)
        self.clock = HandClock(at("09:00:00", day))
        self._market = a_market(bars, seed=seed)
        records = [record for code in self.codes if (record := self._market.instrument(code, self.clock.time))]
        positions = tuple(holdings(record, self.chance) for record in records)
        books = Books(None)
        self._exchange = SimExchange(
            self._market, books, PLAN, Opening(ENOUGH_CASH, positions), self.clock.time, Latency()
        )
        weakref.finalize(self, let_go, books)
        self._broker = PaperBroker(self._exchange, self.clock)
        self._feed = PaperQuotes(self._market, bars, self.clock, quirks)
        self._reports: dict[str, dict[str, BrokerOrder]] = {}
        self._working: dict[str, BrokerOrder] = {}
        self._sent = 0

    def moments(self) -> Iterator[datetime]:
        """A moment of every minute from 09:10 to 15:05 in order, and three of those of an auction."""
        start = at("09:10:00", self.day)
        for minute in range(356):
            begins = start + timedelta(minutes=minute)
            is_call = 5 <= minute < 15 or 347 <= minute < 350
            edges = (0, 59_999_999)
            picks = (
                self.chance.choice((*edges, *(self.chance.randrange(60_000_000) for _ in range(8))))
                for _ in range(3 if is_call else 1)
            )
            yield from (begins + timedelta(microseconds=pick) for pick in sorted(picks))

    async def cases(self, now: datetime, count: int, age_s: float) -> list[Case]:
        """Wishes for some codes at a moment; their quotes were asked for `age_s` seconds before."""
        codes = self._some_codes(now, count)
        self.clock.time = now - timedelta(seconds=age_s)
        quotes = await self._feed.quotes(codes)
        self.clock.time = now
        self._hear()
        for order_id in list(self._working)[:-WORKING_MAX]:
            await self._broker.cancel(order_id)
        self._hear()
        records = await self._feed.instruments(codes)
        sellable = {row.code: row.sellable for row in await self._broker.positions()}
        return [self._case(records[code], quotes.get(code), sellable.get(code, 0)) for code in codes]

    async def live_quote(self, code: str) -> Quote:
        """What the market shows of a code now, whatever the feed makes of it."""
        return (await PaperQuotes(self._market, self._market.bars, self.clock).quotes([code]))[code]

    async def send(self, child: Child) -> str:
        """Place an order now; its tag."""
        self._sent += 1
        tag = f"t{self._sent}"
        await self._broker.place(OrderRequest(tag, child.code, child.side, child.shares, child.price))
        return tag

    def refusals(self) -> dict[str, str]:
        """The message of every refused order by its tag, once the day is over."""
        self.clock.time = at("15:30:00", self.day)
        self._hear()
        rows = [row for of_code in self._reports.values() for row in of_code.values()]
        assert len(rows) == self._sent
        return {row.tag: row.message for row in rows if row.status is OrderStatus.JUNK}

    def _hear(self) -> None:
        for event in self._exchange.advance(self.clock.time):
            if isinstance(event, BrokerOrder):
                self._reports.setdefault(event.code, {})[event.order_id] = event
                if event.status.is_terminal:
                    self._working.pop(event.order_id, None)
                else:
                    self._working[event.order_id] = event

    def _some_codes(self, now: datetime, count: int) -> list[str]:
        """Any codes, among them one that is halted if there is one."""
        listings = [listing for code in self.codes if (listing := self._market.listing(code, self.day))]
        halted = [each.instrument.code for each in listings if each.is_halted(second_of_day(now))]
        first = [self.chance.choice(halted)] if halted else []
        return first + self.chance.sample([code for code in self.codes if code not in first], count - len(first))

    def _bought_today(self, code: str) -> int:
        rows = [row for row in self._reports.get(code, {}).values() if row.side is Side.BUY]
        return sum(row.traded if row.status.is_terminal else row.shares for row in rows)

    def _case(self, record: Instrument, quote: Quote | None, sellable: int) -> Case:
        chance = self.chance
        halted = quote is not None and quote.suspended and not record.suspended
        context = Context(
            BOOK, self.clock.time, record, quote, sellable, self._bought_today(record.code), MARGIN, halted
        )
        centre = chance.choice((record.prev_close, quote.last if quote and quote.last else record.prev_close))
        widest = 1_200_000 if record.limit_up is None else 150_000
        price = centre * chance.randint(*chance.choice(((50_000, widest), (96_000, 104_000)))) / 100_000
        most = 3 * record.order_max
        tail = chance.randint(1, 2) * record.order_max + chance.randint(-300, 300)
        shares = chance.choice((chance.randint(1, 300), chance.randint(1, 5000), chance.randint(1, most), tail))
        side = chance.choice(tuple(Side))
        if side is Side.SELL and sellable:
            within = min(sellable, most)
            shares = chance.choice((shares, within, chance.randint(1, within)))
        phase = BOOK.sessions.phase_at(record.board, record.kind, self.day, self.clock.time.time()).phase
        return Case(Wish(side, shares, price), context, phase)
