"""Every card by its number. What is staged is played by the project's own tests, on the brokers it can stage."""

from __future__ import annotations

from qws.conformance import looks, one_lot
from qws.conformance.verdict import Card, Scope

_STAGED = {
    1: "a new account holds what it was opened with",
    2: "a crossing buy is reported filled and ends",
    3: "a crossing sell turns shares into money",
    4: "cash moves by the amounts and the fees of the fills",
    5: "reports come in the order of what happened",
    6: "a working buy freezes money until it is cancelled",
    7: "a working sell takes its shares off what is sellable",
    8: "an order larger than the book fills in part and can be cancelled",
    9: "a buy beyond the money is turned down",
    10: "a sell beyond what is sellable is turned down",
    11: "an illegal order is turned down with a reason",
    12: "what is bought today is sold tomorrow",
    13: "the lists say what the events said",
    14: "orders fills and money are there after a restart",
    15: "an order placed just before a restart is known and trades",
    16: "a cancel that comes too late or for nothing changes nothing",
    17: "a day ends every order",
    18: "tags come back as they were sent",
    19: "closing ends the stream and not the orders",
    20: "quotes and records tell what they know and leave out the rest",
    36: "two orders right behind each other have ids and tags of their own",
    37: "what somebody else orders is listed with its fills",
    38: "the book is told in shares",
    39: "daily bars are those before today and say how much trades",
}
_PLAYED = (
    Card(21, "an account that is ready answers", Scope.LOOK, looks.account_answers),
    Card(22, "asset and positions add up", Scope.LOOK, looks.account_adds_up),
    Card(23, "every order of today is listed once with an id and a time of today", Scope.LOOK, looks.orders_are_named),
    Card(24, "fills have the ids and tags of their orders and add up", Scope.LOOK, looks.fills_belong_to_orders),
    Card(25, "what is listed stays listed", Scope.LOOK, looks.lists_stay),
    Card(26, "a new connection lists the same orders and fills", Scope.LOOK, looks.lists_outlive_connections),
    Card(27, "quotes have levels in order and a time of the market", Scope.LOOK, looks.quotes_are_sound),
    Card(28, "records have limits ticks and lots that fit the prices", Scope.LOOK, looks.records_fit),
    Card(29, "an unknown code has neither quote nor record", Scope.LOOK, looks.unknown_codes_are_left_out),
    Card(30, "the index has a close of the last session", Scope.LOOK, looks.index_has_closed),
    Card(31, "the answer to an order tells the id it is listed under", Scope.ONE_LOT, one_lot.place_is_answered),
    Card(32, "its remark comes back as it was sent", Scope.ONE_LOT, one_lot.remark_comes_back),
    Card(33, "it rests and freezes its money", Scope.ONE_LOT, one_lot.resting_order_freezes_money),
    Card(34, "a cancel ends it and frees its money", Scope.ONE_LOT, one_lot.cancel_ends_it),
    Card(35, "a second cancel changes nothing", Scope.ONE_LOT, one_lot.cancel_of_the_ended_changes_nothing),
)
CARDS = tuple(
    sorted(
        (*_PLAYED, *(Card(number, sentence, Scope.STAGED) for number, sentence in _STAGED.items())),
        key=lambda card: card.number,
    )
)
