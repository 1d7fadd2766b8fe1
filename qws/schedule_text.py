"""What people read of what is due: planning, runs, targets that wait, runs that were missed."""

from __future__ import annotations

from qws import messages as m
from qws.domain.schedule import DEFAULT, DROP, Moment
from qws.language import _, word
from qws.text import describe

_MOMENTS_SHOWN = 5


def _name(name: str) -> str:
    """What people call a run: its own name, which may be a word of ours by chance."""
    return word(name) if name in (DEFAULT, DROP) else name


def _trigger(trigger: str, moment: Moment | None) -> str:
    return word(trigger) if moment is None or moment.name == DEFAULT else f"{word(trigger)} {moment.name}"


@describe.register
def _planning(msg: m.PlanningDue) -> str:
    return _("{day}: the newest target is due ({trigger})").format(
        day=msg.day, trigger=_trigger(msg.trigger, msg.moment)
    )


@describe.register
def _rebalance(msg: m.RebalanceDue) -> str:
    return _("rebalance to target {id} ({trigger}, attempt {attempt}), orders from {at:%H:%M:%S}").format(
        id=msg.target_id, trigger=_trigger(msg.trigger, msg.moment), attempt=msg.attempt, at=msg.send_at
    )


@describe.register
def _waits(msg: m.TargetWaits) -> str:
    shown = ", ".join(f"{each.at:%Y-%m-%d %H:%M:%S} ({_name(each.name)})" for each in msg.moments[:_MOMENTS_SHOWN])
    if len(msg.moments) > _MOMENTS_SHOWN:
        shown += _(" (and {count} more)").format(count=len(msg.moments) - _MOMENTS_SHOWN)
    line = _("target {id} waits for {moments}").format(id=msg.target_id, moments=shown) if shown else ""
    if msg.idle is None:
        return line
    idle = _("no run of {day} is left for target {id}; it starts when a person says so").format(
        day=msg.idle, id=msg.target_id
    )
    return f"{idle}; {line}" if line else idle


@describe.register
def _missed(msg: m.RunMissed) -> str:
    line = _("the run {name} of {at:%Y-%m-%d %H:%M} was missed and is not made up for")
    return line.format(name=_name(msg.name), at=msg.at)
