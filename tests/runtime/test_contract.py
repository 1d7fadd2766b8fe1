from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from qws.errors import WiringError
from qws.runtime.actor import Actor, contract_of, snake_case
from qws.runtime.message import ActorCrashed, Later, Message, Started, Stopping
from qws.runtime.topology import check_wiring, mermaid
from tests.runtime.stage import Asked, Asker, Hearer, Quoted, Repeated, Teller, Told


class Busybody(Actor):
    on_crash = "halt"

    async def source(self) -> AsyncIterator[Asked | Quoted]:
        yield Asked(1)

    def on_asked(self, msg: Asked) -> Iterator[Told | Later[Repeated]] | None:
        return None

    async def on_told(self, msg: Told) -> list[Later[Told | Quoted]]:
        return []

    def on_started(self, msg: Started) -> None:
        return None

    def recall_repeated(self, msg: Repeated) -> None:
        return None

    def ordinary(self, msg: Stopping) -> Stopping:
        return msg


def test_the_contract_is_read_from_the_annotations() -> None:
    contract = contract_of(Busybody)

    assert contract.name == "busybody"
    assert contract.handlers == {Asked: "on_asked", Told: "on_told", Started: "on_started"}
    assert contract.recalls == {Repeated: "recall_repeated"}
    assert contract.emits == {Asked, Quoted, Told, Repeated}


def test_a_subclass_inherits_the_handlers() -> None:
    class Second(Teller):
        pass

    assert contract_of(Second).handlers == {Asked: "on_asked"}


@pytest.mark.parametrize(
    ("name", "snake"),
    [("WeightFileSettled", "weight_file_settled"), ("Told", "told"), ("Level2Quoted", "level2_quoted")],
)
def test_handler_names_follow_the_message(name: str, snake: str) -> None:
    assert snake_case(name) == snake


class Misnamed(Actor):
    on_crash = "halt"

    def on_question(self, msg: Asked) -> None:
        return None


class TwoForOne(Teller):
    def on_asked_again(self, msg: Asked) -> None:
        return None


class TwoMessages(Actor):
    on_crash = "halt"

    def on_asked(self, msg: Asked | Told) -> None:
        return None


class Unannotated(Actor):
    on_crash = "halt"

    def on_asked(self, msg) -> None:  # type: ignore[no-untyped-def]
        return None


class OtherName(Actor):
    on_crash = "halt"

    def on_asked(self, message: Asked) -> None:
        return None


class NotAMessage(Actor):
    on_crash = "halt"

    def on_int(self, msg: int) -> None:
        return None


class YieldsWhileItWaits(Actor):
    on_crash = "halt"

    async def on_asked(self, msg: Asked) -> AsyncIterator[Told]:
        yield Told(msg.number)


class MisnamedRecall(Actor):
    on_crash = "halt"

    def recall_question(self, msg: Asked) -> None:
        return None


@pytest.mark.parametrize(
    ("cls", "text"),
    [
        (Misnamed, "Misnamed.on_question: name it on_asked"),
        (TwoForOne, "TwoForOne.on_asked_again: name it on_asked"),
        (TwoMessages, "TwoMessages.on_asked: annotate `msg` with one message type"),
        (Unannotated, "Unannotated.on_asked: annotate `msg` with one message type"),
        (OtherName, "OtherName.on_asked: annotate `msg` with one message type"),
        (NotAMessage, "NotAMessage.on_int: annotate `msg` with one message type"),
        (YieldsWhileItWaits, "YieldsWhileItWaits.on_asked: return a list"),
        (MisnamedRecall, "MisnamedRecall.recall_question: name it recall_asked"),
    ],
)
def test_a_handler_that_cannot_be_wired_is_refused_by_name(cls: type[Actor], text: str) -> None:
    with pytest.raises(WiringError) as refusal:
        contract_of(cls)

    assert text in str(refusal.value)


def test_what_happens_after_a_crash_has_no_default() -> None:
    class Undecided(Actor):
        def on_asked(self, msg: Asked) -> None:
            return None

    class Unheard(Undecided):
        on_crash = "resume"  # type: ignore[assignment]

    for cls in (Undecided, Unheard):
        with pytest.raises(WiringError, match="on_crash must be 'restart' or 'halt'"):
            contract_of(cls)


def test_a_closed_graph_is_accepted_and_drawn_one_sorted_line_per_edge() -> None:
    contracts = [contract_of(each) for each in (Hearer, Teller, Asker)]

    check_wiring(contracts)

    assert mermaid(contracts) == "flowchart LR\n  asker -->|Asked| teller\n  teller -->|Told| hearer"


@pytest.mark.parametrize(
    ("cast", "missing"),
    [
        ((Asker, Teller), "['Told']"),
        ((Teller, Hearer), "['Asked']"),
        ((Teller,), "['Asked', 'Told']"),
    ],
)
def test_loose_ends_are_refused_in_both_directions(cast: tuple[type[Actor], ...], missing: str) -> None:
    with pytest.raises(WiringError) as refusal:
        check_wiring([contract_of(each) for each in cast])

    assert missing in str(refusal.value)


def test_two_actors_of_one_name_are_refused() -> None:
    with pytest.raises(WiringError, match="two actors share a name"):
        check_wiring([contract_of(each) for each in (Asker, Teller, Teller, Hearer)])


def test_what_the_runtime_says_may_be_heard_or_not() -> None:
    class Night(Actor):
        on_crash = "halt"

        def on_actor_crashed(self, msg: ActorCrashed) -> None:
            return None

    check_wiring([contract_of(Night)])
    check_wiring([])
    assert contract_of(Night).handlers == {ActorCrashed: "on_actor_crashed"}


def test_a_message_has_no_room_for_anything_but_its_fields() -> None:
    assert not hasattr(Asked(1), "__dict__")
    assert not hasattr(Message(), "__dict__")
