"""Intraday halts of stocks without a daily limit. RULES.md section 10."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class HaltRule:
    """Moves from today's opening price that halt trading, and how long; lunch is not counted."""

    levels: tuple[Decimal, ...]
    halt_s: int
    lunch: tuple[time, time]
    last_resume: time


def halt_level(rule: HaltRule, open_price: Decimal, price: Decimal) -> Decimal:
    """The highest level a trade at `price` reaches, as a share of the opening price; 0 for none."""
    move = abs(price - open_price)
    return max((level for level in rule.levels if move >= level * open_price), default=Decimal(0))


def halt_until(rule: HaltRule, open_price: Decimal, price: Decimal, level_hit: Decimal, at: time) -> time | None:
    """When trading resumes after a trade at `price`, or None when it does not halt.

    `level_hit` is the highest level already reached today in the same direction, 0 for none. Each level halts
    once; a jump past the highest halts once.
    """
    if at >= rule.last_resume or halt_level(rule, open_price, price) <= level_hit:
        return None
    lunch_start, lunch_end = rule.lunch
    resume = _later(at, rule.halt_s)
    if at < lunch_start <= resume:
        left_s = _second_of_day(resume) - _second_of_day(lunch_start)
        resume = _later(lunch_end, left_s)
    return min(resume, rule.last_resume)


def _later(at: time, seconds: int) -> time:
    return (datetime.combine(date.min, at) + timedelta(seconds=seconds)).time()


def _second_of_day(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second
