"""A card: what a broker must do, in one sentence, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from qws.conformance.stand import PATIENCE_S, Stand
from qws.errors import AlreadyRunning, GatewayError, QwsError

_LOOK_AGAIN_S = 0.2
_STAGED = "it needs an account and a market that obey: it is played on the simulated brokers"


class Scope(StrEnum):
    """What a card does to the account: nothing, one order that rests and is cancelled, or whatever it likes."""

    LOOK = "look"
    ONE_LOT = "one_lot"
    STAGED = "staged"


class Verdict(StrEnum):
    """What came of a card."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


class CardFailed(QwsError):
    """Raised by a card when the broker did not do what it must; the text says what it did."""

    exit_code = 1


class NotChecked(QwsError):
    """Raised by a card that has nothing to look at now; the text says why."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Card:
    """One thing that every broker must do; `play` gives what was seen. A staged card is played by the tests alone."""

    number: int
    sentence: str
    scope: Scope
    play: Callable[[Stand], Awaitable[str]] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a card, and why."""

    card: int
    sentence: str
    result: Verdict
    text: str


async def judged(card: Card, stand: Stand) -> Result:
    """Play a card. What the broker raises is its failure; anything else that is raised is a bug."""
    if card.play is None:
        return unchecked(card, _STAGED)
    try:
        text = await card.play(stand)
    except NotChecked as why:
        return unchecked(card, str(why))
    except (CardFailed, GatewayError, AlreadyRunning) as error:
        return Result(card.number, card.sentence, Verdict.FAILED, str(error))
    except TimeoutError:
        return Result(card.number, card.sentence, Verdict.FAILED, f"nothing was told within {PATIENCE_S:g} s")
    return Result(card.number, card.sentence, Verdict.PASSED, text)


def unchecked(card: Card, why: str) -> Result:
    """A card that was not played."""
    return Result(card.number, card.sentence, Verdict.NOT_CHECKED, why)


async def within(stand: Stand, look: Callable[[], Awaitable[str]]) -> None:
    """Look until there is no problem; raises CardFailed with the last one after 10 s: lists and money may lag."""
    waited_s = 0.0
    while problem := await look():
        if waited_s >= PATIENCE_S:
            raise CardFailed(problem)
        await stand.clock.sleep(_LOOK_AGAIN_S)
        waited_s += _LOOK_AGAIN_S
