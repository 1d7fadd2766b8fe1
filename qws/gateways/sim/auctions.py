"""Call auctions of the simulated market: the orders of everybody else, the virtual price, and what ours get.

The orders of everybody else are built so that one price alone trades most, and that is the tape's: the open, the close
or the price after a halt. Own orders change volumes and never that price. What would have moved it, a keener order
beyond the volume on the other side, takes no part and goes on into continuous trading. Quotes show everybody else only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from qws.domain.auction import AuctionOrder, AuctionResult, uncross
from qws.domain.market import Exchange, Side
from qws.gateways.sim.account import Ticket
from qws.gateways.sim.tape import LOCKED, LOT, STEP_S, Tape, gap_of, volume_of

_RANKS = 3  # prices on each side of the auction's price at which others have orders


@dataclass(frozen=True, slots=True)
class Call:
    """One call auction: seconds of the day [begins, ends), its price in ticks, and Shenzhen's reference."""

    begins: int
    ends: int
    price: int
    reference: Decimal


class Standing(NamedTuple):
    """How an auction stands: its price, what trades, and what would be left over on each side."""

    result: AuctionResult
    buys_left: int
    sells_left: int


@dataclass(frozen=True, slots=True)
class CallAuction:
    """One call auction of one tape; prices of the tape are in ticks, of orders in CNY."""

    call: Call
    tape: Tape
    exchange: Exchange
    tick: Decimal

    def virtual(self, second: float) -> Standing:
        """How the auction stands at a second of the day, with the orders of everybody else that have come till then."""
        at = int(second - self.call.begins) // STEP_S
        orders = [order for step, order in self._others() if step <= at]
        result = self._uncross(orders)
        if result.price is None:
            return Standing(result, 0, 0)
        buys, sells = _at(orders, Side.BUY, result.price), _at(orders, Side.SELL, result.price)
        return Standing(result, buys - result.volume, sells - result.volume)

    def allot(self, tickets: Iterable[Ticket]) -> list[tuple[Ticket, int]]:
        """What own orders trade at the auction's price, by price and then time, behind others of the same price.

        Own orders of the two sides never meet: each side meets the others alone.
        """
        others = [order for _, order in self._others()]
        waiting = sorted(tickets, key=lambda ticket: ticket.serial)
        shares: list[tuple[Ticket, int]] = []
        for side in Side:
            own = {ticket.order_id: ticket for ticket in waiting if ticket.request.side is side}
            if not own:
                continue
            result = self._uncross([*others, *self._taking_part(side, own.values(), others)])
            fills = dict(result.fills)
            for order_id, ticket in own.items():
                traded = fills.get(order_id, 0)
                # Whole lots, so that no fill is ever smaller than the minimum commission.
                traded = traded if traded == ticket.open_shares else traded // LOT * LOT
                if traded:
                    shares.append((ticket, traded))
        return shares

    def _uncross(self, orders: list[AuctionOrder]) -> AuctionResult:
        return uncross(self.exchange, orders, self.tick, self.call.reference)

    def _taking_part(self, side: Side, tickets: Iterable[Ticket], others: list[AuctionOrder]) -> Iterator[AuctionOrder]:
        """Own orders of one side; keener ones only for less than the other side's volume, which keeps the price."""
        price = self.call.price * self.tick
        keen = sum(order.shares for order in others if order.side is side and _is_keener(order, price))
        facing = Side.SELL if side is Side.BUY else Side.BUY
        room = _at(others, facing, price) - keen - LOT
        sign = -1 if side is Side.BUY else 1
        for ticket in sorted(tickets, key=lambda one: (sign * one.request.price, one.serial)):
            order = AuctionOrder(ticket.order_id, side, ticket.request.price, ticket.open_shares)
            if _is_keener(order, price):
                order = order._replace(shares=min(order.shares, room))
                room -= order.shares
            if order.shares:
                yield order

    def _others(self) -> Iterator[tuple[int, AuctionOrder]]:
        """The orders of everybody else, with the step of the auction at which each comes; most come early.

        Demand at the price or better exceeds demand above it and supply below it, and supply likewise, so no other
        price trades as much.
        """
        tape, price = self.tape, self.call.price
        chance = tape.draw(f":call:{self.call.begins}")
        gap, steps = gap_of(price), (self.call.ends - self.call.begins) // STEP_S
        higher = range(price + gap, min(price + _RANKS * gap, tape.up) + 1, gap)
        lower = range(price - gap, max(price - _RANKS * gap, tape.down, 1) - 1, -gap)
        rows = [
            (side, at, volume_of(tape.lots, chance[number]))
            for number, (side, at) in enumerate((side, at) for side in Side for at in (*higher, *lower))
        ]
        above = sum(volume for side, at, volume in rows if side is Side.BUY and at > price)
        below = sum(volume for side, at, volume in rows if side is Side.SELL and at < price)
        bought = volume_of(tape.lots * (LOCKED if price >= tape.up else 1), chance[20]) + max(below - above, 0)
        sold = volume_of(tape.lots * (LOCKED if price <= tape.down else 1), chance[21]) + max(above - below, 0)
        rows += [(Side.BUY, price, bought), (Side.SELL, price, sold)]
        for number, (side, at, volume) in enumerate(rows):
            comes = int(steps * (chance[32 + number] / 256) ** 5)
            yield comes, AuctionOrder("", side, at * self.tick, volume)


def _is_keener(order: AuctionOrder, price: Decimal) -> bool:
    return order.price > price if order.side is Side.BUY else order.price < price


def _at(orders: Iterable[AuctionOrder], side: Side, price: Decimal) -> int:
    """The shares of one side that trade at `price` or at a worse one."""
    return sum(
        order.shares for order in orders if order.side is side and (order.price == price or _is_keener(order, price))
    )
