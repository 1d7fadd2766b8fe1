"""From a seed to a world, and from a world that is over to what is reported of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from qws.domain.rest import FOLLOW_UP, Absent
from qws.domain.tags import is_ours
from qws.gateways.sim.bars import GeneratedBars
from qws.gateways.sim.quirks import PERFECT, Quirks
from qws.messages import ControlOrdered, RebalanceDue, TargetRejected
from tests.simulation.ex_dates import draw_ex_dates
from tests.simulation.life import POINTS
from tests.simulation.modes import moded as with_modes
from tests.simulation.names import draw_names
from tests.simulation.verdict import Verdict
from tests.simulation.wanted import CARRY
from tests.simulation.weather import RATES, Weather, draw_rates
from tests.simulation.witness import Violation
from tests.simulation.workload import draw_action, draw_moment, draw_workload, first_send
from tests.simulation.world import Death, World, at, draw_config, tables

_FIRST_DAYS = (date(2026, 9, 29), date(2026, 9, 30), date(2026, 11, 12), date(2026, 11, 19), date(2026, 11, 20))
_CALM = 20  # one seed of so many has no fault at all
_MODED = (8, 13)
_SHOWN_MAX = 3


@dataclass(frozen=True)
class Report:
    """What became of one seed."""

    seed: int
    digest: str
    days: int
    lives: int
    messages: int
    orders: int
    faults: Counter[str]
    violations: tuple[Violation, ...]


def draw_world(
    seed: int, kind: type[World] = World, rates: Mapping[str, float] = RATES, moded: Collection[int] = _MODED
) -> World:
    """Everything about a seed; the same in every process. Of twenty seeds those of `moded` have files with modes."""
    chance = Random(f"{seed}:world")
    _, calendar = tables()
    is_calm = seed % _CALM == 0
    days = [chance.choice(_FIRST_DAYS)]
    execution = draw_config(seed).execution
    while len(days) < 3 and (chance.random() < 0.4 or (execution.carry and len(days) == 1)):
        days.append(calendar.next_session(days[-1]))
    traits = draw_names(chance, calm=is_calm)
    bars = GeneratedBars(seed, calendar)
    prices = {code: close for code in traits if (close := bars.last_close(code, days[0])) is not None}
    file_days = days[:1] if execution.carry else days
    workload = draw_workload(chance, traits, prices, days, file_days, calendar, is_calm=is_calm)
    if seed % 20 in moded:
        workload = with_modes(seed, workload)
    ordinary = {code: price for code, price in prices.items() if not traits[code]}
    if not is_calm:
        workload = replace(workload, ex_dates=draw_ex_dates(Random(f"{seed}:ex"), days, ordinary))
    lost = ("order_never_left",) if execution.absent is Absent.AGAIN or execution.carry else ()
    weather = Weather(seed, {} if is_calm else draw_rates(seed, lost, rates))
    deaths = [] if is_calm else _deaths(Random(f"{seed}:deaths"), days, [deed.when for deed in workload.deeds])
    deaths += [] if is_calm else _evenings(Random(f"{seed}:evening"), days)
    if draw_config(seed).risk.hold:
        deaths = [_while_asked(Random(f"{seed}:asked"), [each.when for each in workload.deeds if each.name]), *deaths]
    quirks = Quirks(late_open_s=400.0) if not is_calm and chance.random() < 0.2 else PERFECT
    return kind(seed, workload, weather, deaths, quirks)


def draw_moded_world(seed: int) -> World:
    """The same, with files that are subsets or deltas, and some that expire."""
    return draw_world(seed, moded=range(20))


Draw = Callable[[int], World]


def _deaths(chance: Random, days: list[date], drops: list[datetime]) -> list[Death]:
    deaths = []
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        pause_s = chance.choice((1.0, 5.0, 30.0, 120.0, 1200.0, 30_000.0)) * chance.uniform(0.8, 1.2)
        if chance.random() < 0.3:
            moment = draw_action(chance, drops) if chance.random() < 0.7 else draw_moment(chance, chance.choice(days))
            moment = min(moment, at("14:57", moment.date()))
            deaths.append(Death(chance.choice(("kill", "kill", "stop")), 0, moment, pause_s))
        else:
            deaths.append(Death(chance.choice(POINTS), int(2 ** chance.uniform(0, 7)), None, pause_s))
    return sorted(deaths, key=lambda death: death.when or at("00:00", days[0]))


def _while_asked(chance: Random, drops: list[datetime]) -> Death:
    """It dies a while after a plan may have been held, and nobody need have answered by then."""
    moment = first_send(chance.choice(drops)) + timedelta(seconds=10 ** chance.uniform(0, 2))
    return Death("kill", 0, min(moment, at("14:57", moment.date())), 10 ** chance.uniform(0, 3))


def _evenings(chance: Random, days: list[date]) -> list[Death]:
    """Somebody starts it again when the day has been recorded."""
    evening = at("15:10:01", chance.choice(days)) + timedelta(seconds=chance.uniform(0, 1500))
    return [Death(chance.choice(("kill", "stop")), 0, evening, 10.0)] if chance.random() < 0.1 else []


def run_seed(seed: int, draw: Draw = draw_world) -> Report:
    """Live through a seed and judge it; whatever escapes is a violation as well."""
    world = draw(seed)
    try:
        world.run()
        return judge(world)
    except Exception as error:  # noqa: BLE001 - one seed's end must not end the others
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        line = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where is not None else ""
        world.witness.blame("tripwire", f"{type(error).__name__}: {error} at {line}")
        return _report(world)
    finally:
        world.close()


def judge(world: World) -> Report:
    """Check everything about a world that is over."""
    Verdict(world).reach()
    _note_what_shows_later(world)
    return _report(world)


def _report(world: World) -> Report:
    faults = Counter({kind: times for kind, times in world.weather.happened.items() if times})
    kept = world.diary.kept
    return Report(
        world.seed,
        world.diary.digest(),
        len(world.workload.days),
        len(world.lives),
        len(kept),
        len(world.witness.intents),
        faults,
        tuple(_without_repeats(world.witness.violations)),
    )


def _without_repeats(violations: Iterable[Violation]) -> Iterator[Violation]:
    """One cause may break the same rule a hundred times: the first three say enough."""
    times: Counter[str] = Counter()
    for violation in violations:
        times[violation.invariant] += 1
        if times[violation.invariant] <= _SHOWN_MAX:
            yield violation


def _note_what_shows_later(world: World) -> None:
    """Faults that are told by what became of them."""
    notes, ids = world.weather.happened, set[str]()
    dropped = Counter(deed.when for deed in world.workload.deeds if deed.what == "drop")
    notes["files_at_once"] += sum(times > 1 for times in dropped.values())
    for envelope in world.diary.kept:
        match envelope.body:
            case ControlOrdered(command=command):
                notes[f"ordered_{command}"] += 1
            case RebalanceDue(trigger=trigger) if trigger in (CARRY, FOLLOW_UP, "recovery"):
                notes[f"planned_by_{trigger}"] += 1
            case TargetRejected(refusals=refusals):
                notes["file_twice" if refusals[0].code == "duplicate" else "file_refused"] += 1
            case _:
                pass
    for plan in world.witness.plans.values():
        notes["name_suspended"] += sum(row.reason == "suspended" for row in plan.rows)
        notes["name_limit_locked"] += sum(row.reason in ("limit_up", "limit_down") for row in plan.rows)
        notes["shares_bought_today"] += sum(row.reason == "t_plus_1" for row in plan.rows)
    for order in world.terminal.all_orders():
        if is_ours(order.tag):
            notes["partial_fill"] += 0 < order.traded < order.shares
            shown = world.line.order_shown(order).order_id
            notes["order_id_reused"] += shown in ids
            ids.add(shown)
