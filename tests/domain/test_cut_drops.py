"""A text that ends within a line may be half written: it waits, and nothing newer overtakes it."""

from __future__ import annotations

import pytest

from qws.domain.drops import Drop, Look, is_cut, is_text
from tests.domain.test_drops import IN_PLACE_S, SETTLE_S, a_drop, settling


def test_a_file_cut_within_a_line_waits_for_more_and_keeps_newer_files_waiting() -> None:
    wait, newer = settling(), a_drop(name="y.csv", mtime=9, whole=True)
    wait.look([a_drop()], (), 0)
    assert wait.look([a_drop()], (), IN_PLACE_S) == [a_drop()]
    assert wait.may_be_cut(a_drop())

    assert wait.expect_more(a_drop(), IN_PLACE_S)

    assert wait.look([a_drop(), newer], (), 14.9) == []
    assert wait.wait_s(14.9) == pytest.approx(SETTLE_S)
    assert wait.look([a_drop(), newer], (), 15) == [a_drop(), newer]
    assert not wait.may_be_cut(a_drop())  # nobody went on with it: it is taken as it is


def test_a_cut_file_that_somebody_goes_on_with_is_done_soon_after_its_last_line_has_an_end() -> None:
    wait, longer = settling(), a_drop(size=10, mtime=6)
    wait.look([a_drop()], (), 0)
    wait.expect_more(a_drop(), IN_PLACE_S)

    assert wait.look([longer], (), 5) == []
    assert wait.look([longer], (), 5 + IN_PLACE_S) == [longer]
    assert wait.may_be_cut(longer)


def test_a_writer_who_goes_on_again_and_again_within_a_line_is_waited_for_each_time() -> None:
    wait = settling()
    for number in range(8):  # more of it each 9 s, and each time cut within a line
        longer, now_s = a_drop(size=9 + number, mtime=number), 9.0 * number
        wait.look([longer], (), now_s)
        assert wait.look([longer], (), now_s + IN_PLACE_S) == [longer]
        assert wait.expect_more(longer, now_s + IN_PLACE_S)
        assert wait.look([longer], (), now_s + 8.9) == []


def test_a_file_that_never_gets_an_end_does_not_wait_for_ever() -> None:
    wait, taken = settling(), []
    for number in range(16):
        again, now_s = a_drop(mtime=number), 9.0 * number
        wait.look([again], (), now_s)
        if wait.look([again], (), now_s + IN_PLACE_S) and not wait.expect_more(again, now_s + IN_PLACE_S):
            taken.append(now_s)

    assert taken == [126, 135]


def test_several_cut_files_wait_together_and_not_one_after_another() -> None:
    wait, both = settling(), [a_drop(), a_drop(name="y.csv", mtime=6)]
    wait.look(both, (), 0)
    wait.look(both, (), IN_PLACE_S)
    assert wait.expect_more(both[0], IN_PLACE_S)

    assert wait.look(both, (), 15) == both
    assert wait.may_be_cut(both[1])
    assert not wait.expect_more(both[1], 15)


def test_a_file_written_here_does_not_become_whole_when_its_rights_are_changed() -> None:
    wait = settling()
    wait.look([a_drop()], (), 0)
    changed = Drop("x.csv", Look(9, 5, 8, 1), whole=True, refusal=None)

    wait.look([changed], (), 3)

    assert wait.look([changed], (), 3 + SETTLE_S) == []
    assert wait.may_be_cut(changed)


def test_a_file_that_came_whole_may_end_as_it_likes() -> None:
    wait = settling()
    wait.look([a_drop(whole=True)], (), 0)

    assert not wait.may_be_cut(a_drop(whole=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_text_is_cut_when_its_last_line_has_no_end(encoding: str, end: str) -> None:
    text = f"日期,代码,权重{end}2026-11-23,600519.SH,0.2"

    assert is_cut(text.encode(encoding))
    for rest in ("", "  ", "\t", "\x1a"):
        assert not is_cut(f"{text}{end}{rest}".encode(encoding))
    assert not is_cut(b"")
    assert is_cut(b"\0" * 256)  # room that somebody made for what is to come


def test_only_texts_can_be_cut_within_a_line() -> None:
    assert is_text("X.CSV")
    assert not is_text("x.xlsx")
    wait, book = settling(), a_drop(name="x.xlsx")
    wait.look([book], (), 0)

    assert not wait.may_be_cut(book)
