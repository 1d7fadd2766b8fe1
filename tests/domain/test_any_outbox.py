"""Whatever fails, and in whatever order: every alert is told or dropped, and none by a channel twice."""

from __future__ import annotations

from collections import Counter
from datetime import time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from qws.domain.alerts import Quiet
from tests.domain.test_outbox import BOTH, TEN, outbox
from tests.support.alerts import CRITICAL, NOTE, WARNING, an_alert, rules

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "work", "fail", "wait"]),
        st.sampled_from([NOTE, WARNING, CRITICAL]),
        st.integers(0, 3),
        st.sampled_from([("group",), ("mail",), BOTH]),
    ),
    max_size=60,
)


def test_a_text_that_is_refused_for_ever_does_not_hold_up_the_others() -> None:
    box, now, told = outbox(), TEN, set[str]()
    for number in range(4):
        box.add(an_alert(number))
    for _ in range(40):
        for parcel in box.take(now):
            ids = {entry.alert.alert_id for entry in parcel.entries}
            told |= ids - {"d-0"} if "d-0" not in ids else set()
            box.fail("group", "spam", now) if "d-0" in ids else box.settle(parcel.settles, "group", now)
        now = box.next_at(now) or now

    assert told == {"d-1", "d-2", "d-3"}


@given(STEPS, st.sampled_from(["", "mail", "group"]), st.integers(1, 3))
def test_whatever_fails_every_alert_is_told_or_dropped_and_none_of_a_channel_twice(
    steps: list[tuple[str, object, int, tuple[str, ...]]], fallback: str, tries: int
) -> None:
    quiet = Quiet(time(10, 20), time(11), CRITICAL)
    box = outbox(rules(fallback, tries=tries, quiet=quiet, pending_max=20), *BOTH)
    now, told, raised, gone = TEN, Counter[tuple[str, str]](), set[str](), set[str]()

    def deliver(*, works: bool) -> None:
        for parcel in box.take(now):
            assert len(parcel.entries) >= 1
            if not works:
                box.fail(parcel.channel, "no", now)
                continue
            told.update((each, home) for part in parcel.settles for each in part.alert_ids for home in part.channels)
            box.settle(parcel.settles, parcel.channel, now)
        given_up = box.given_up(now)
        assert all((set(part.alert_ids) & {each for each, _ in told}) for part in given_up)
        box.settle(given_up, "", now)

    for number, (what, severity, key, channels) in enumerate(steps):
        if what == "add":
            raised.add(f"d-{number}")
            alert = an_alert(number, severity, key=f"key {key}", when=now, channels=channels)  # type: ignore[arg-type]
            gone |= {each for part in box.add(alert) for each in part.alert_ids}
        elif what == "wait":
            now += timedelta(seconds=40 * key)
        else:
            deliver(works=what == "work")
    for _ in range(200):
        again = box.next_at(now)
        if again is None:
            break
        now = max(now, again)
        deliver(works=True)

    assert len(box) == 0
    assert {each for each, _ in told} | gone >= raised
    assert all(times == 1 for times in told.values())
