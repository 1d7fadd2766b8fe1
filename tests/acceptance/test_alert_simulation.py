"""The simulation with alerts: people are told through kills, power cuts and full disks, and no rule is broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from qws.app import Ports
from qws.messages import AlertRaised, AlertsSettled
from qws.notify_section import NotifySection
from tests.simulation.life import Life, PatientClock
from tests.simulation.seeds import draw_world, judge
from tests.simulation.world import Death, World
from tests.support.alerts import FakeChannel

LISTENING = NotifySection.model_validate({"channels": {"group": {"kind": "webhook", "url": "http://127.0.0.1/"}}})


class ToldWorld(World):
    """A world in which somebody listens, but for some minutes of every hour."""

    def _run(self, life: Life, began: datetime, death: Death | None) -> datetime:
        self._config = self._config.model_copy(update={"notify": LISTENING})
        return super()._run(life, began, death)

    def _ports(self, life: Life, clock: PatientClock) -> Ports:
        channel = FakeChannel(clock, fails=lambda now: now.minute % 20 < self.seed % 10)
        return replace(super()._ports(life, clock), channels=(channel,))


@pytest.mark.parametrize("seed", range(7000, 7030))
def test_every_alert_of_a_foul_world_is_told_and_every_rule_holds(seed: int) -> None:
    world = draw_world(seed, ToldWorld)
    world.run()
    raised = [each.body.alert for each in world.diary.kept if isinstance(each.body, AlertRaised)]
    settled = {
        alert_id
        for each in world.diary.kept
        if isinstance(each.body, AlertsSettled)
        for alert_id in each.body.alert_ids
    }
    world.close()

    assert judge(world).violations == ()
    assert len({each.alert_id for each in raised}) == len(raised) >= len(world.lives)
    assert settled <= {each.alert_id for each in raised}
    assert {each.alert_id for each in raised} == settled  # the last life ends after the close, with all healed
