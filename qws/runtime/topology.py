"""The graph of who tells whom, drawn from the contracts."""

from __future__ import annotations

from collections.abc import Sequence

from qws.errors import WiringError
from qws.runtime.actor import Contract
from qws.runtime.message import ActorCrashed, Message, Started, Stopping

RUNTIME_MESSAGES: frozenset[type[Message]] = frozenset({ActorCrashed, Started, Stopping})


def check_wiring(contracts: Sequence[Contract]) -> None:
    """Raise `WiringError` on two actors of one name or a message that is emitted and never consumed, or the reverse."""
    if len(contracts) != len({contract.name for contract in contracts}):
        raise WiringError(f"two actors share a name: {sorted(contract.name for contract in contracts)}")
    emitted = {message for contract in contracts for message in contract.emits} | RUNTIME_MESSAGES
    consumed = {message for contract in contracts for message in contract.handlers} | RUNTIME_MESSAGES
    if one_sided := sorted(message.__name__ for message in emitted ^ consumed):
        raise WiringError(f"one-sided messages: {one_sided}")


def mermaid(contracts: Sequence[Contract]) -> str:
    """The topology as a Mermaid flowchart, one sorted line per edge, so that a diff is readable."""
    edges = {
        f"  {source.name} -->|{message.__name__}| {target.name}"
        for source in contracts
        for message in source.emits
        for target in contracts
        if message in target.handlers
    }
    return "\n".join(["flowchart LR", *sorted(edges)])
