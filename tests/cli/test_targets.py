"""`qws targets`: every file that came, what became of it, and what changed from one to the next."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from qws.cli.table import width
from qws.domain.targets import DayTarget, Mode, Refusal, Weight
from qws.home import Home
from qws.messages import RebalanceDue, RunFinished, TargetAccepted, TargetRejected
from qws.runtime.clock import SystemClock
from qws.runtime.message import Envelope, Message
from qws.store.reading import Record
from tests.cli.rig import as_json, call, fill, now, today

DAY_1, DAY_2 = (SystemClock().now().date() - timedelta(days=days) for days in (4, 3))


def told(home: Home, *bodies: Message) -> None:
    start = now() - timedelta(seconds=len(bodies) + 1)
    fill(
        home,
        [Envelope(id_, id_, None, start + timedelta(seconds=id_), "x", each) for id_, each in enumerate(bodies, 1)],
    )


def a_file(
    target_id: str,
    weights: dict[str, str],
    *days: date,
    mode: Mode = Mode.FULL,
    expires_at: datetime | None = None,
    name: str = "",
    minute: int = 0,
) -> TargetAccepted:
    rows = tuple(Weight(code, Decimal(weight)) for code, weight in weights.items())
    found = tuple(DayTarget(day, rows, mode, expires_at) for day in days)
    name, at = name or f"{target_id}.csv", now() - timedelta(hours=1) + timedelta(minutes=minute)
    return TargetAccepted(target_id, name, f".claimed/{target_id}", target_id, at, found, ())


def a_run(target_id: str, day: date, status: str, reason: str = "") -> tuple[Message, ...]:
    due = RebalanceDue(f"r-{target_id}", target_id, day, 0, "drop", now())
    return due, RunFinished.without_trades(due, status, reason, "", now())


def history(home: Home, *words: str) -> list[Record]:
    found = as_json(home, "targets", *words)
    assert isinstance(found, list)
    return found


def states(home: Home) -> dict[object, object]:
    return {(row["target_id"], row["day"]): row["state"] for row in history(home)}


def test_before_the_first_file_there_is_none(home: Home) -> None:
    assert history(home) == []
    assert "no weight file yet" in call(home, "targets").out
    assert call(home, "targets", "diff").code == 1


def test_each_file_is_told_with_its_days_newest_first(home: Home) -> None:
    later = today() + timedelta(days=1)
    two = a_file(
        "bbb", {"600000.SH": "-0.05"}, today(), later, mode=Mode.DELTA, expires_at=now() + timedelta(days=2), minute=1
    )
    bad = TargetRejected("坏.csv", "rejected/坏.csv", "c", now(), (Refusal("bad_date", "row 2: date 'x'", 2),))
    told(home, a_file("aaa", {"600000.SH": "0.3", "000001.SZ": "0.2"}, DAY_1), two, bad)

    rows = history(home)

    assert [(row["target_id"], row["day"]) for row in rows] == [
        (None, None), ("bbb", today().isoformat()), ("bbb", later.isoformat()), ("aaa", DAY_1.isoformat()),
    ]  # fmt: skip
    assert (rows[0]["file"], rows[0]["state"]) == ("坏.csv", "refused [bad_date]")
    assert (rows[1]["mode"], rows[1]["names"], rows[1]["sum"]) == ("delta", 1, -0.05)
    assert (rows[3]["mode"], rows[3]["names"], rows[3]["sum"], rows[3]["expires_at"]) == ("full", 2, 0.5, None)
    assert [row["target_id"] for row in history(home, "--limit", "1")] == [None]
    assert [row["target_id"] for row in history(home, "--day", today().isoformat())] == ["bbb"]
    assert "no target of" in call(home, "targets", "--day", "20200102").out


def test_what_became_of_each_is_told(home: Home) -> None:
    gone = now() - timedelta(minutes=1)
    told(
        home,
        a_file("ran", {"600000.SH": "0.3"}, DAY_1),
        *a_run("ran", DAY_1, "completed"),
        a_file("late", {"600000.SH": "0.3"}, DAY_2),
        *a_run("late", DAY_2, "refused", "expired_target"),
        a_file("never", {"600000.SH": "0.3"}, DAY_2 + timedelta(days=1)),
        a_file("first", {"600000.SH": "0.3"}, today()),
        a_file("second", {"600000.SH": "0.4"}, today()),
        a_file("past", {"600000.SH": "0.4"}, today() + timedelta(days=1), expires_at=gone),
    )

    found = {str(row["target_id"]): row["state"] for row in history(home)}

    assert found == {
        "ran": "run completed", "late": "run refused [expired_target]", "never": "never ran",
        "first": "superseded by second", "second": "waits", "past": "expired",
    }  # fmt: skip
    told_by = {str(row["target_id"]): row["superseded_by"] for row in history(home)}
    assert {key for key, value in told_by.items() if value} == {"first"}


def test_an_expired_target_does_not_wait_and_none_waits_in_its_place(home: Home) -> None:
    later, gone = today() + timedelta(days=1), now() - timedelta(minutes=1)
    told(
        home,
        a_file("old", {"600000.SH": "0.4"}, later),
        a_file("gone", {"600000.SH": "0.4"}, later, expires_at=gone),
        a_file("good", {"600000.SH": "0.4"}, later + timedelta(days=1), expires_at=now() + timedelta(days=2)),
    )

    waiting = as_json(home, "status")["targets_waiting"]  # type: ignore[index]

    assert [row["target_id"] for row in waiting] == ["good"]


def test_what_was_carried_over_is_told_at_the_day_it_comes_from(home: Home) -> None:
    told(home, a_file("aaa", {"600000.SH": "0.3"}, DAY_1, DAY_2), *a_run("aaa", DAY_2 + timedelta(days=1), "completed"))

    assert states(home) == {("aaa", DAY_1.isoformat()): "never ran", ("aaa", DAY_2.isoformat()): "run completed"}


def test_wide_names_stay_aligned(home: Home) -> None:
    told(
        home,
        a_file("aaa", {"600000.SH": "0.3"}, DAY_1, name="权重表格.csv"),
        a_file("bbb", {"1": "0.1"}, DAY_2, name="w.csv"),
    )

    head, *lines = call(home, "targets").out.splitlines()

    place = width(head[: head.index("mode")])
    assert {width(line[: line.index("full")]) for line in lines} == {place}


OLD = {"600000.SH": "0.3", "000001.SZ": "0.2", "600036.SH": "0.1"}
NEW = {"600000.SH": "0.25", "600519.SH": "0.25", "600036.SH": "0.1"}


@pytest.fixture
def two(home: Home) -> Home:
    told(
        home,
        a_file("aaa111", OLD, DAY_1),
        a_file("aaa222", {"600000.SH": "1"}, DAY_2),
        a_file("bbb333", NEW, DAY_2, minute=1),
    )
    return home


def changed(home: Home, *words: str) -> dict[str, object]:
    found = as_json(home, "targets", "diff", *words)
    assert isinstance(found, dict)
    return found


def test_the_newest_target_is_compared_with_that_of_the_day_before(two: Home) -> None:
    found = changed(two)

    assert (found["a"]["target_id"], found["b"]["target_id"]) == ("bbb333", "aaa111")  # type: ignore[index]
    assert found["added"] == [{"stock_code": "600519.SH", "before": 0.0, "after": 0.25}]
    assert found["removed"] == [{"stock_code": "000001.SZ", "before": 0.2, "after": 0.0}]
    assert found["changed"] == [{"stock_code": "600000.SH", "before": 0.3, "after": 0.25}]
    assert found["turnover"] == 0.25
    shown = call(two, "targets", "diff").out
    assert [word for word in ("600519.SH", "added", "+25.00%", "-20.00%", "turnover 25.00%") if word not in shown] == []


@pytest.mark.parametrize("words", [("bbb333", "aaa111"), ("bbb", "aaa1"), (DAY_2.isoformat(), f"{DAY_1:%Y%m%d}")])
def test_targets_are_named_by_id_its_beginning_or_the_day(two: Home, words: tuple[str, ...]) -> None:
    assert changed(two, *words) == changed(two)


@pytest.mark.parametrize(
    ("words", "told_why"), [(("aaa",), "several"), (("zzz",), "no target is zzz"), (("aaa111",), "before")]
)
def test_a_name_that_means_none_or_several_is_refused(two: Home, words: tuple[str, ...], told_why: str) -> None:
    answer = call(two, "targets", "diff", *words)

    assert (answer.code, told_why in answer.err) == (1, True)


def test_a_subset_removes_nothing_and_a_delta_adds_to_what_was(home: Home) -> None:
    told(
        home,
        a_file("old", OLD, DAY_1),
        a_file("subset", {"600519.SH": "0.1", "000001.SZ": "0"}, DAY_2, mode=Mode.SUBSET),
        a_file("delta", {"600000.SH": "-0.1", "000001.SZ": "-0.5", "600519.SH": "0.1"}, today(), mode=Mode.DELTA),
    )

    subset, delta = changed(home, "subset", "old"), changed(home, "delta", "old")

    assert [row["stock_code"] for row in subset["removed"]] == ["000001.SZ"]  # type: ignore[attr-defined]
    assert (subset["turnover"], subset["changed"]) == (0.2, [])
    assert delta["changed"] == [{"stock_code": "600000.SH", "before": 0.3, "after": 0.2}]
    assert delta["removed"] == [{"stock_code": "000001.SZ", "before": 0.2, "after": 0.0}]
    assert "left alone" in call(home, "targets", "diff", "subset", "old").out
    assert "is a delta" in call(home, "targets", "diff", "delta", "subset").out


def test_an_exported_target_says_what_it_is(home: Home) -> None:
    at = datetime.combine(today(), now().timetz().replace(hour=10, minute=30, second=0, microsecond=0))
    told(home, a_file("old", OLD, DAY_1), a_file("s", {"600519.SH": "0.1"}, today(), mode=Mode.SUBSET, expires_at=at))

    lines = call(home, "export", "target").out.splitlines()

    assert lines[:3] == ["# mode: subset", f"# expires: {today()} 10:30:00", "date,stock_code,weight"]
    out = home.root / "target.csv"
    assert call(home, "export", "target", "--out", str(out)).code == 0
    assert out.read_text(encoding="utf-8").splitlines() == lines


def test_an_exported_full_target_is_rows_and_nothing_else(home: Home) -> None:
    told(home, a_file("old", OLD, DAY_1))

    assert call(home, "export", "target").out.startswith("date,stock_code,weight")
