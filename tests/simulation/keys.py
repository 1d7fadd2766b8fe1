"""What tells one attempt of a run from another."""

from __future__ import annotations

from qws.messages import PlaceOrder

Key = tuple[str, str]  # run and, as it stands in the tag, attempt


def key_of(intent: PlaceOrder) -> Key:
    """The attempt that an order belongs to."""
    return intent.run_id, intent.order.tag[-3]


def digit_of(attempt: int) -> str:
    """An attempt as it stands in a tag."""
    return "0123456789abcdefghijklmnopqrstuvwxyz"[attempt]
