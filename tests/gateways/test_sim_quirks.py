from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from qws.domain.market import Quote
from qws.gateways.sim.broker import PaperQuotes
from qws.gateways.sim.market import SimMarket
from qws.gateways.sim.quirks import Quirks
from qws.ports import Quotes
from qws.runtime.clock import LoopClock, VirtualLoop
from tests.gateways.sim_rig import DAY, a_market, at, later


def seen(quirks: Quirks, now: datetime, market: SimMarket | None = None) -> Mapping[str, Quote]:
    """What the port answers for all codes at a moment."""
    market = market if market is not None else a_market()

    async def work() -> Mapping[str, Quote]:
        source: Quotes = PaperQuotes(market, market.bars, LoopClock(now), quirks)
        return await source.quotes(market.bars.codes(DAY))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())


def test_a_feed_without_quirks_is_perfect_and_silent_from_the_uncross_to_the_open() -> None:
    market = a_market()
    codes = market.bars.codes(DAY)
    moments = [at("09:25:00"), at("09:25:01"), at("09:27:30"), at("09:29:59.999")]

    for now in moments:
        quotes = seen(Quirks(), now, market)
        assert quotes == {code: market.quote(code, now) for code in codes}
        assert {quote.at for quote in quotes.values()} == {at("09:25:00")}
    assert {quote.at for quote in seen(Quirks(), at("09:30:00"), market).values()} == {at("09:30:00")}


def test_the_tick_of_the_uncross_comes_late_by_a_few_seconds_and_not_for_all_at_once() -> None:
    quirks = Quirks(late_open_s=9.0)
    late = [
        sum(quote.at < at("09:25:00") for quote in seen(quirks, later(at("09:25:00"), second)).values())
        for second in range(11)
    ]

    assert late == sorted(late, reverse=True)
    assert late[0] == len(a_market().bars.codes(DAY))
    assert 0 < late[4] < late[0]
    assert late[9] == late[10] == 0
    waiting = seen(quirks, at("09:25:00"))["600000.SH"]
    assert waiting == a_market().quote("600000.SH", at("09:24:59"))


def test_the_feed_may_stay_silent_till_the_open() -> None:
    quirks = Quirks(late_open_s=10_000.0)

    silent = sum(quote.at < at("09:25:00") for quote in seen(quirks, at("09:29:59")).values())
    assert silent > 250
    assert all(quote.at == at("09:30:00") for quote in seen(quirks, at("09:30:00")).values())


def test_a_shallow_quote_has_no_deep_levels() -> None:
    perfect, quotes = seen(Quirks(), at("10:00:00")), seen(Quirks(shallow=0.3), at("10:00:00"))
    shallow = [code for code in perfect if quotes[code] != perfect[code]]

    assert 50 < len(shallow) < 130
    for code in shallow:
        assert quotes[code] == replace(perfect[code], bids=perfect[code].bids[:1], asks=perfect[code].asks[:1])


def test_a_stale_quote_is_that_of_the_minutes_beginning_and_says_so() -> None:
    now = at("10:00:45")
    perfect, before, quotes = seen(Quirks(), now), seen(Quirks(), at("10:00:00")), seen(Quirks(stale=0.3), now)
    stale = [code for code in perfect if quotes[code] != perfect[code]]

    assert 50 < len(stale) < 130
    assert all(quotes[code] == before[code] for code in stale)
    assert all(now - quotes[code].at == timedelta(seconds=45) for code in stale)


def test_a_missing_code_is_absent_for_a_minute() -> None:
    every = set(seen(Quirks(), at("10:00:00")))
    missing = [every - set(seen(Quirks(missing=0.2), at(clock))) for clock in ("10:00:00", "10:00:59", "10:01:00")]

    assert 30 < len(missing[0]) < 90
    assert missing[0] == missing[1] != missing[2]


def test_the_same_seed_has_the_same_quirks_and_another_one_others() -> None:
    quirks = Quirks(late_open_s=9.0, shallow=0.2, stale=0.2, missing=0.2)
    here, there, other = (seen(quirks, at("10:00:30"), a_market(seed=seed)) for seed in (7, 7, 8))

    assert here == there
    assert set(here) != set(other)
