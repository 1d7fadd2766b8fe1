"""The short tag that travels in `order_remark`: a pure function of what it names (RELIABILITY.md 6.1)."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from hashlib import sha256

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PREFIX = "q1"
_EPOCH = date(2020, 1, 1)
_LENGTH = 16
ATTEMPT_MAX = 35  # of a target on one day
_PRIME = 1291  # more than any sum of one place can be off by, and two digits hold it


def make_tag(day: date, target_id: str, attempt: int, index: int) -> str:
    """The tag of one order: version, day, target, order number within the attempt, attempt, check digits.

    16 characters of [0-9a-z]. Raises ValueError when `attempt` is over 35 or `index` over 46,655.
    """
    if not 0 <= attempt <= ATTEMPT_MAX or not 0 <= index < 36**3:
        raise ValueError(f"attempt {attempt} or order number {index} does not fit into a tag")
    body = _PREFIX + day_part(day) + _target_part(target_id) + _base36(index, 3) + _base36(attempt, 1)
    return body + _check(body)


@lru_cache(maxsize=4096)
def is_ours(remark: str) -> bool:
    """Whether a remark is a tag that this program made."""
    return len(remark) == _LENGTH and remark.startswith(_PREFIX) and remark[-2:] == _check(remark[:-2])


def is_mangled(remark: str, day: date) -> bool:
    """Whether a remark was a tag of this program and day, and cannot be read any more."""
    return remark.startswith(_PREFIX + day_part(day)) and not is_ours(remark)


def day_part(day: date) -> str:
    """What `same_day_part` gives for every tag of `day`."""
    return _base36((day - _EPOCH).days, 3)


def same_day_part(tag: str) -> str:
    """The part of a tag that all tags of one trading day share."""
    return tag[len(_PREFIX) : len(_PREFIX) + 3]


def same_attempt_part(tag: str) -> str:
    """What all tags of one day, target and attempt share."""
    return tag[: len(_PREFIX) + 8] + tag[-3]


def is_of_target(tag: str, target_id: str) -> bool:
    """Whether a tag is of an order of this target, of whichever day and attempt."""
    return tag[len(_PREFIX) + 3 : len(_PREFIX) + 8] == _target_part(target_id)


@lru_cache(maxsize=8)
def _target_part(target_id: str) -> str:
    return _base36(int.from_bytes(sha256(target_id.encode("ascii")).digest()[:8], "big"), 5)


def _check(body: str) -> str:
    """Two digits that tell every single wrong character and every swap of neighbours."""
    return _base36(sum(place * ord(character) for place, character in enumerate(body, 1)) % _PRIME, 2)


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
