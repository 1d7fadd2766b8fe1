"""The simulation with subsets, deltas and expiries: a delta is made once through kills, and nothing expired starts."""

from __future__ import annotations

from collections import Counter

from qws.domain.targets import Mode
from qws.messages import RunFinished, TargetAccepted, TargetRejected, WeightsFixed
from tests.simulation.seeds import draw_moded_world, judge

SEEDS = range(8000, 8060)


def test_every_rule_holds_whatever_mode_files_have_and_whenever_they_expire() -> None:
    seen: Counter[str] = Counter()
    for seed in SEEDS:
        world = draw_moded_world(seed)
        world.run()
        report = judge(world)
        world.close()
        assert report.violations == (), f"uv run python -m tests.simulation --modes --seed {seed}"
        for body in (each.body for each in world.diary.kept):
            match body:
                case TargetAccepted(days=(first, *_)):
                    seen[first.mode] += 1
                case WeightsFixed():
                    seen["fixed"] += 1
                case RunFinished(reason="expired_target"):
                    seen["expired"] += 1
                case TargetRejected(refusals=(refusal, *_)):
                    seen[refusal.code] += 1
                case _:
                    pass
    assert {*Mode, "fixed", "expired", "expired_target"} <= seen.keys()
