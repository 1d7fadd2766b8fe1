"""The cards of a live terminal, on every kind of broker; and that each of them can fail."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qws.conformance.cards import CARDS
from qws.conformance.one_lot import let_go, lot_of, obstacle_to
from qws.conformance.stand import Lot
from qws.conformance.verdict import Card, Scope, Verdict, judged
from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.domain.tags import is_ours
from qws.tables import load_calendar, load_rules
from tests.conformance.brokers import BOUGHT, HELD, LEFT_OUT, STOPPED, TEN, Stand
from tests.conformance.cards import Play, rests
from tests.gateways.sim_rig import at

LOOKS = [card for card in CARDS if card.scope is Scope.LOOK]
ORDERS = [card for card in CARDS if card.scope is Scope.ONE_LOT]
HOURS = load_rules(), load_calendar()


async def a_lived_day(stand: Stand) -> None:
    """Fills, a working order, a cancelled one, and one of somebody else's where there can be any."""
    await stand.order("filled", Side.BUY, BOUGHT, 300, await stand.crossing(Side.BUY, BOUGHT))
    await stand.ended("filled")
    cancelled = await rests(stand, "cancelled", Side.SELL, HELD, 100)
    await stand.broker.cancel(cancelled.order_id)
    await stand.ended("cancelled")
    await rests(stand, "works", Side.BUY, BOUGHT, 100)
    if stand.by_hand is None:
        return
    stand.by_hand(OrderRequest("手工", HELD, Side.SELL, 200, await stand.resting(Side.SELL, HELD)))
    while (await stand.listed("手工")).status is not OrderStatus.REPORTED:
        await stand.clock.sleep(0.02)
        assert stand.clock.now() < TEN + timedelta(seconds=60)


async def one_lot(stand: Stand, code: str = BOUGHT) -> Lot:
    """What `--one-lot` would order."""
    record = (await stand.quotes.instruments([code]))[code]
    order = lot_of(record, stand.clock.now())
    assert order is not None
    return Lot(order, lambda quote, record: obstacle_to(order, quote, record, HOURS, stand.clock.now()))


@pytest.mark.parametrize("card", LOOKS, ids=lambda card: f"{card.number} {card.sentence}")
def test_a_look_passes_on_a_lived_day(play: Play, card: Card) -> None:
    async def played(stand: Stand) -> None:
        await a_lived_day(stand)
        before = await stand.broker.orders()
        result = await judged(card, stand)

        assert (result.result, result.card) == (Verdict.PASSED, card.number), result.text
        assert result.text
        assert await stand.broker.orders() == before

    play(played)


def test_one_lot_is_placed_looked_at_and_cancelled(play: Play) -> None:
    async def played(stand: Stand) -> None:
        await a_lived_day(stand)
        stand.lot = await one_lot(stand)
        before = await stand.broker.asset()
        results = [await judged(card, stand) for card in ORDERS]

        assert [(each.result, each.text) for each in results if each.result is not Verdict.PASSED] == []
        assert await let_go(stand) == ""
        assert await stand.broker.asset() == before
        (order,) = [each for each in await stand.broker.orders() if each.tag == stand.lot.order.tag]
        assert (order.status, order.traded, order.shares) == (OrderStatus.CANCELED, 0, 100)
        assert not is_ours(order.tag)

    play(played)


def test_what_is_left_working_is_cancelled(play: Play) -> None:
    async def played(stand: Stand) -> None:
        stand.lot = await one_lot(stand)
        assert (await judged(ORDERS[0], stand)).result is Verdict.PASSED
        assert await let_go(stand) == ""

        assert (await stand.ended(stand.lot.order.tag)).status is OrderStatus.CANCELED

    play(played)


def test_every_card_has_a_number_a_sentence_and_a_place_where_it_is_played() -> None:
    staged = {card.number: card.sentence for card in CARDS if card.scope is Scope.STAGED}
    found: dict[int, str] = {}
    for file in sorted(Path(__file__).parent.glob("test_broker*.py")):
        for number, words in re.findall(r"^def test_(\d\d)_(\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE):
            found[int(number)] = words.replace("_", " ")

    assert found == staged
    assert {number for _, number in LEFT_OUT} <= found.keys()
    assert [card.number for card in CARDS] == list(range(1, len(CARDS) + 1))
    assert all((card.play is None) == (card.scope is Scope.STAGED) for card in CARDS)


@pytest.mark.parametrize(
    ("code", "clock", "said"),
    [
        (BOUGHT, "11:29:30", "continuous trading at 11:30:30"),
        (BOUGHT, "14:56:30", "continuous trading at 14:57:30"),
        (BOUGHT, "09:20:00", "continuous trading at 09:20:00"),
        (STOPPED, "10:00:00", "suspended"),
    ],
)
def test_no_lot_leaves_when_it_could_not_rest_or_be_cancelled(embedded: Play, code: str, clock: str, said: str) -> None:
    async def played(stand: Stand) -> None:
        stand.lot = await one_lot(stand, code)
        stand.clock.put_to(at(clock))
        results = [await judged(card, stand) for card in ORDERS]

        assert {each.result for each in results} == {Verdict.NOT_CHECKED}
        assert said in results[0].text
        assert await stand.broker.orders() == ()

    embedded(played)


def test_no_lot_leaves_near_the_lower_limit_or_for_another_day(embedded: Play) -> None:
    async def played(stand: Stand) -> None:
        lot = await one_lot(stand)
        quote = (await stand.quotes.quotes([BOUGHT]))[BOUGHT]
        record = (await stand.quotes.instruments([BOUGHT]))[BOUGHT]
        low = replace(quote, asks=tuple(level._replace(price=lot.order.price) for level in quote.asks))

        assert lot.obstacle(quote, record) == ""
        assert "could trade" in lot.obstacle(low, record)
        assert "could trade" in lot.obstacle(replace(quote, asks=()), record)
        assert "no quote" in lot.obstacle(None, record)
        assert "says" in lot.obstacle(quote, replace(record, day=record.day - timedelta(days=1)))
        assert "says" in lot.obstacle(quote, replace(record, limit_down=lot.order.price + Decimal("0.01")))
        assert lot_of(replace(record, limit_down=None), TEN) is None

    embedded(played)


def test_a_lot_does_not_leave_on_an_old_quote(play: Play) -> None:
    async def played(stand: Stand) -> None:
        lot = await one_lot(stand)
        quote = (await stand.quotes.quotes([BOUGHT]))[BOUGHT]
        record = (await stand.quotes.instruments([BOUGHT]))[BOUGHT]

        assert lot.obstacle(quote, record) == ""
        assert "could trade" in lot.obstacle(replace(quote, at=quote.at - timedelta(minutes=1)), record)

    play(played)
