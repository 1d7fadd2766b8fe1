"""The outbox: routes, folding, quiet hours, rates, fallback and bounds, at times that are given to it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta

import pytest

from qws.domain.alerts import NotifyRules, Parcel, Part, Quiet, clipped
from qws.domain.outbox import Outbox
from tests.support.alerts import CRITICAL, NOTE, WARNING, Lane, an_alert, rules
from tests.support.builders import NEXT_DAY, at

TEN = at("10:00:00")
BOTH = ("group", "mail")


def after(seconds: float) -> datetime:
    return TEN + timedelta(seconds=seconds)


def outbox(rule: NotifyRules | None = None, *names: str) -> Outbox:
    return Outbox([Lane(name) for name in names or ("group",)], rule or rules())


def sent(box: Outbox, now: datetime) -> list[Parcel]:
    """Everything that leaves now, and is taken by its service."""
    parcels = box.take(now)
    for parcel in parcels:
        box.settle(parcel.settles, parcel.channel, now)
    return parcels


def numbers(parcels: list[Parcel]) -> list[tuple[str, list[str]]]:
    return [(parcel.channel, [each.alert.alert_id for each in parcel.entries]) for parcel in parcels]


def fail_for(box: Outbox, channel: str, times: int, start_s: float = 0.0) -> float:
    """Fail so often, each time as soon as it is tried again; when that was over."""
    at_s = start_s
    for _ in range(times):
        while channel not in [parcel.channel for parcel in box.take(after(at_s))]:
            at_s += 1
        box.fail(channel, "no answer", after(at_s))
    return at_s


def test_an_alert_leaves_once_by_each_of_its_channels_and_nothing_is_left() -> None:
    box = outbox(None, *BOTH)
    box.add(an_alert(1, channels=BOTH))

    assert numbers(sent(box, TEN)) == [("group", ["d-1"]), ("mail", ["d-1"])]
    assert (sent(box, after(9999)), len(box), box.next_at(TEN)) == ([], 0, None)


def test_what_is_on_its_way_is_not_sent_again_until_it_has_landed() -> None:
    box = outbox()
    box.add(an_alert(1))
    (parcel,) = box.take(TEN)
    box.add(an_alert(2))

    assert (box.take(TEN), box.next_at(TEN)) == ([], None)
    box.landed(parcel.channel)
    assert numbers(box.take(TEN)) == [("group", ["d-1", "d-2"])]


def test_one_message_holds_what_waits_the_most_urgent_first_and_no_more_than_fits() -> None:
    box = Outbox([Lane(size_max=1000)], rules())
    for number, severity in enumerate((NOTE, CRITICAL, WARNING, NOTE), 1):
        box.add(an_alert(number, severity, text="x" * 200))

    assert numbers(sent(box, TEN)) == [("group", ["d-2", "d-3"])]
    assert numbers(sent(box, TEN)) == [("group", ["d-1", "d-4"])]


def test_repeats_within_the_window_become_one_message_that_counts_them() -> None:
    box = outbox()
    box.add(an_alert(1, key="same"))
    first = sent(box, TEN)
    for number in range(2, 7):
        box.add(an_alert(number, key="same", when=after(number)))

    assert numbers(first) == [("group", ["d-1"])]
    assert box.take(after(599)) == []
    assert box.next_at(after(10)) == after(600)
    (parcel,) = sent(box, after(600))
    (entry,) = parcel.entries
    assert (entry.alert.alert_id, entry.more, entry.since) == ("d-6", 4, after(2))
    assert parcel.settles == (Part(tuple(f"d-{number}" for number in range(2, 7)), ("group",)),)
    assert len(box) == 0


def test_something_worse_or_of_another_kind_under_the_same_key_is_not_held_back() -> None:
    box = outbox()
    for number, (kind, severity) in enumerate([("halt", WARNING), ("halt", CRITICAL), ("resume", NOTE)], 1):
        box.add(an_alert(number, severity, key="trading", kind=kind))
        assert numbers(sent(box, after(number))) == [("group", [f"d-{number}"])]
    box.add(an_alert(4, CRITICAL, key="trading", kind="halt"))

    assert numbers(sent(box, after(5))) == [("group", ["d-4"])]


@pytest.mark.parametrize(
    ("now", "quiet", "told"),
    [
        ("21:59:59", (time(22), time(8)), "21:59:59"),
        ("22:00:00", (time(22), time(8)), "next 08:00:00"),
        ("03:00:00", (time(22), time(8)), "08:00:00"),
        ("08:00:00", (time(22), time(8)), "08:00:00"),
        ("12:30:00", (time(12), time(13)), "13:00:00"),
        ("13:00:00", (time(12), time(13)), "13:00:00"),
        ("03:00:00", (time(0), time(0)), "03:00:00"),
    ],
)
def test_in_quiet_hours_only_what_is_urgent_is_told_and_the_rest_after_them(
    now: str, quiet: tuple[time, time], told: str
) -> None:
    moment = at(now)
    box = outbox(rules(quiet=Quiet(*quiet, CRITICAL)))
    box.add(an_alert(1, WARNING, when=moment))
    box.add(an_alert(2, CRITICAL, when=moment))
    expected = at(told.removeprefix("next "), NEXT_DAY if told.startswith("next") else moment.date())

    assert "d-2" in numbers(sent(box, moment))[0][1]
    if expected > moment:
        assert box.next_at(moment) == expected
        assert numbers(sent(box, expected)) == [("group", ["d-1"])]
    assert len(box) == 0


def test_a_channel_sends_no_more_in_a_minute_than_it_may_and_one_message_holds_what_waited() -> None:
    box = Outbox([Lane(per_minute=3)], rules())
    leaving = []
    for second in range(70):
        box.add(an_alert(second))
        leaving += [(second, len(parcel.entries)) for parcel in sent(box, after(second))]

    assert leaving[:5] == [(0, 1), (1, 1), (2, 1), (60, 23), (61, 23)]
    assert all(sum(1 for at_s, _ in leaving if start <= at_s < start + 60) <= 3 for start in range(70))


def test_pauses_grow_after_failures_and_a_success_ends_them() -> None:
    box = outbox()
    box.add(an_alert(1))
    pauses = []
    now = TEN
    for _ in range(7):
        assert box.take(now)
        box.fail("group", "no answer", now)
        again = box.next_at(now)
        assert again is not None
        pauses.append((again - now).total_seconds())
        now = again
    assert pauses == [2, 8, 32, 128, 300, 300, 300]
    assert sent(box, now)
    box.add(an_alert(2))
    assert box.take(now)
    box.fail("group", "no answer", now)

    assert box.next_at(now) == now + timedelta(seconds=2)


def test_when_a_channel_was_tried_in_vain_the_fallback_takes_over_and_says_why() -> None:
    box = outbox(rules("mail"), *BOTH)
    box.add(an_alert(1))
    over_s = fail_for(box, "group", 3)

    (parcel,) = sent(box, after(over_s))
    assert (parcel.channel, parcel.instead) == ("mail", (("group", "no answer"),))
    assert parcel.settles == (Part(("d-1",), ("group",)),)
    box.add(an_alert(2))
    assert numbers(sent(box, after(over_s + 1))) == [("mail", ["d-2"])]
    box.add(an_alert(3))
    assert numbers(sent(box, after(over_s + 100))) == [("group", ["d-3"])]  # it is tried again, and works
    assert len(box) == 0


def test_while_neither_works_both_are_tried_in_turn_for_ever() -> None:
    box = outbox(rules("mail", tries=1), *BOTH)
    box.add(an_alert(1))
    tried, now = Counter[str](), TEN
    for _ in range(40):
        for parcel in box.take(now):
            tried[parcel.channel] += 1
            box.fail(parcel.channel, "no answer", now)
        again = box.next_at(now)
        assert again is not None
        assert now <= again <= now + timedelta(seconds=300)
        now = again

    assert min(tried["group"], tried["mail"]) >= 15
    assert len(box) == 1


def test_what_was_told_elsewhere_is_given_up_for_a_channel_that_does_not_work() -> None:
    box = outbox(None, *BOTH)
    box.add(an_alert(1, channels=BOTH))
    group, mail = box.take(TEN)
    box.settle(mail.settles, "mail", TEN)
    box.fail("group", "no answer", TEN)

    assert (group.channel, box.given_up(TEN)) == ("group", [])
    over_s = fail_for(box, "group", 2, 1.0)
    assert box.given_up(after(over_s)) == [Part(("d-1",), ("group",))]
    box.settle(box.given_up(after(over_s)), "", after(over_s))
    assert len(box) == 0


def test_when_too_many_wait_the_oldest_and_least_urgent_is_dropped_and_the_next_message_counts() -> None:
    box = outbox(rules(pending_max=10))
    kinds = [WARNING, CRITICAL, NOTE, NOTE, WARNING] * 4
    dropped = []
    for number, severity in enumerate(kinds, 1):
        for part in box.add(an_alert(number, severity, when=after(number))):
            dropped += part.alert_ids
            box.count_dropped(len(part.alert_ids))

    notes = [f"d-{number}" for number, severity in enumerate(kinds, 1) if severity is NOTE]
    assert sorted(dropped) == sorted([*notes, "d-1", "d-5"])
    assert dropped[:2] == ["d-3", "d-4"]
    assert len(box) == 10
    (parcel,) = sent(box, after(100))
    assert parcel.dropped == 10
    box.add(an_alert(99))
    assert [each.dropped for each in sent(box, after(101))] == [0]


def test_an_alert_whose_channels_are_gone_goes_where_it_can_and_nowhere_when_there_is_none() -> None:
    box = outbox(rules(routes={CRITICAL: ("mail",)}), *BOTH)
    box.add(an_alert(1, CRITICAL, channels=("old",)))
    nowhere = Outbox([], rules())

    assert numbers(sent(box, TEN)) == [("mail", ["d-1"])]
    assert nowhere.add(an_alert(2, channels=("old",))) == [Part(("d-2",), ())]
    assert (nowhere.add(an_alert(3, channels=())), len(nowhere)) == ([], 0)


def test_what_a_person_has_seen_is_not_told_any_more() -> None:
    box = outbox()
    box.add(an_alert(1))
    box.add(an_alert(2))
    box.forget(["d-1", "d-9"])

    assert numbers(sent(box, TEN)) == [("group", ["d-2"])]


def test_texts_are_cut_to_bytes_and_never_inside_a_character() -> None:
    assert clipped("涨停" * 10, 60) == "涨停" * 10
    assert clipped("涨停" * 10, 20) == "涨停涨停涨…"
    assert len(clipped("a涨" * 500, 999).encode()) <= 999
