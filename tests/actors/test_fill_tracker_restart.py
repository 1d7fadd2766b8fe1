from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.messages import (
    LinkReady,
)
from tests.support.tracker_rig import (
    ACCOUNT_S,
    ENDED,
    B,
    Life,
    a_life,
    an_account,
    by_hand,
    kinds,
    recalled,
)


@given(st.integers(2, 12), st.integers(5, 50))
def test_after_a_restart_the_looks_go_on_with_the_ledger_as_it_was(cut: int, second: int) -> None:
    truth = an_account(by_hand(B, Side.BUY, 500, 3.5))
    journal = Life(truth).trades()
    life = recalled(truth, journal[:cut], second)

    life.note(life.tracker.on_link_ready(LinkReady()))
    life.note(life.tracker.on_link_ready(LinkReady()))
    assert [when for when, _ in life.due] == [second + ACCOUNT_S]
    life.hear(journal[cut:])  # what the first sweep tells

    assert [(code, why) for code, _, why in kinds(life.until(second + 60))] == [
        ("", "manual_trade"),
        (B, "manual_trade"),
    ]


def test_a_drift_that_was_told_before_a_restart_is_not_told_again() -> None:
    truth = an_account(by_hand(B, Side.BUY, 500, 7))
    first = a_life(truth)
    drifts = first.until(40)
    life = recalled(truth, [*Life(truth).trades(), *drifts], 50)
    life.note(life.tracker.on_link_ready(LinkReady()))

    assert len(drifts) == 2
    assert life.until(120) == []


def test_after_a_run_that_has_ended_a_restart_looks_at_nothing() -> None:
    truth = an_account()

    life = recalled(truth, [*Life(truth).trades(), ENDED], 50)

    assert life.tracker.on_link_ready(LinkReady()) is None
