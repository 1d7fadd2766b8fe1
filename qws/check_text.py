"""The sentences of the day's checks, in English or Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from qws import messages as m
from qws.domain.readiness import Problem
from qws.domain.reconciling import Difference
from qws.language import _, translated, word
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
        "target_expired": N_("today's target expires at {about}, before it can be traded: drop a new file"),
        "halted": N_("trading is halted since an order by {about}; `qws resume` allows it again"),
        "reduce_only": N_("nothing is bought since an order by {about}; `qws resume` allows it again"),
        "orders_unknown": N_("nobody knows how orders of {about} ended: compare holdings and trades at the terminal"),
        "calendar_short": N_("the known trading days end with {about}; add the next year to calendar.toml"),
        "disk_unreadable": N_("the disk of this home does not answer: {about}"),
        "disk_low": N_("only {about} are left on the disk of this home"),
    }
)

WHAT: Mapping[str, str] = MappingProxyType(
    {
        "order_missing": N_("order {subject}: our books say {ours}, the broker does not list it"),
        "order_differs": N_("order {subject}: our books say {ours}, the broker {theirs}"),
        "order_unknown": N_("order {subject}: our books have none, the broker {theirs}"),
        "fill_unheard": N_("fill {subject}: our books have none, the broker {theirs}"),
        "fill_unlisted": N_("fill {subject}: our books say {ours}, the broker does not list it"),
        "fill_differs": N_("fill {subject}: our books say {ours}, the broker {theirs}"),
        "foreign_trade": N_("trades of others in {subject}: {theirs}"),
        "shares": N_("shares of {subject}: our books say {ours}, the broker {theirs}"),
        "account_mismatch": N_("the account does not add up: {theirs}"),
        "cash": N_("cash: our books say {ours}, the broker {theirs}"),
    }
)
WHY_NOT: Mapping[str, str] = MappingProxyType(
    {
        "no_close": N_("the close was not recorded"),
        "moves": N_("the account still moves"),
        "no_lists": N_("the broker lists no order, though it had some of ours"),
    }
)
_SHOWN = 5
_OPEN_END = " :\uff1a"  # where there is nothing to name


def problem_line(problem: Problem) -> str:
    """What is wrong, and its code."""
    text = translated(PROBLEMS[problem.code]).format(about=problem.about)
    return f"[{problem.code}] {text.rstrip(_OPEN_END)}"


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


def difference_line(found: Difference) -> str:
    """What differs, why, and its code."""
    named = {"subject": found.subject, "ours": found.ours, "theirs": found.theirs}
    return f"[{found.code}] {translated(WHAT[found.code]).format(**named)} ({word(found.explanation)})"


@describe.register
def _reconciled(msg: m.DayReconciled) -> str:
    if msg.problem:
        why = translated(WHY_NOT[msg.problem]) if msg.problem in WHY_NOT else msg.problem
        return _("{day}: not reconciled with the broker: {why}").format(day=msg.day, why=why)
    counts = {"day": msg.day, "orders": msg.orders, "fills": msg.fills}
    odd = [each for each in msg.differences if not each.is_explained]
    if odd:
        line = _("{day}: the broker says otherwise: ")
    elif msg.since is None:
        line = _("{day} reconciled: {orders} orders, {fills} fills agree; no earlier close to count cash from")
    else:
        line = _("{day} reconciled: {orders} orders, {fills} fills, holdings and cash agree")
    named = [difference_line(each) for each in (*odd, *(each for each in msg.differences if each.is_explained))]
    more = _("; and {count} more: `qws reconcile`").format(count=len(named) - _SHOWN) if len(named) > _SHOWN else ""
    return line.format(**counts) + ("" if odd or not named else "; ") + "; ".join(named[:_SHOWN]) + more
