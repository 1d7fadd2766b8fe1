"""The sentences of the day's checks, in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from qws import messages as m
from qws.domain.readiness import Problem
from qws.language import _, translated
from qws.text import describe
from qws.words import N_

PROBLEMS: Mapping[str, str] = MappingProxyType(
    {
        "link_down": N_("the broker is not ready: {about}"),
        "account_unreadable": N_("the account cannot be read: {about}"),
        "account_mismatch": N_("the account does not add up: {about}"),
        "quotes_unreadable": N_("quotes cannot be read: {about}"),
        "quotes_missing": N_("no quote of {about}"),
        "quotes_old": N_("the newest quote is of {about}: quotes stand still, or the computer's clock is fast"),
        "clock_slow": N_("the newest quote is {about} ahead of the computer's clock: set the clock"),
        "target_missing": N_("no weight file for {about} has been accepted"),
        "halted": N_("trading is halted since an order by {about}; `qws resume` allows it again"),
        "reduce_only": N_("nothing is bought since an order by {about}; `qws resume` allows it again"),
        "orders_unknown": N_("nobody knows how orders of {about} ended: compare holdings and trades at the terminal"),
        "calendar_short": N_("the known trading days end with {about}; add the next year to calendar.toml"),
        "disk_unreadable": N_("the disk of this home does not answer: {about}"),
        "disk_low": N_("only {about} are left on the disk of this home"),
    }
)


def problem_line(problem: Problem) -> str:
    """What is wrong, and its code."""
    return f"[{problem.code}] {translated(PROBLEMS[problem.code]).format(about=problem.about)}"


def unready_line(msg: m.ReadinessChecked, problem: Problem) -> str:
    """What is wrong, at a time at which it can still be mended."""
    return _("not ready to trade on {day}: {problem}").format(day=msg.day, problem=problem_line(problem))


@describe.register
def _readiness(msg: m.ReadinessChecked) -> str:
    if not msg.problems:
        return _("{day}: ready to trade").format(day=msg.day)
    return _("{day}: not ready to trade: {problems}").format(
        day=msg.day, problems="; ".join(problem_line(each) for each in msg.problems)
    )
