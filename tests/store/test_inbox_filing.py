"""Filing claimed files away: nothing is lost, nothing is overwritten, a cut move is finished."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from qws.store.inbox import InboxFolder
from tests.store.inbox_rig import BYTES_MAX, Refusing, claimed, files


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def inbox(root: Path) -> InboxFolder:
    folder = InboxFolder(root, BYTES_MAX)
    folder.prepare()
    return folder


def test_leftovers_keep_their_names_and_the_order_of_their_claims(root: Path) -> None:
    first = InboxFolder(root, BYTES_MAX)
    first.prepare()
    names = ["z.csv", "1-a.csv", *(f"{number}.csv" for number in range(20, 0, -1))]
    for name in names:
        (root / name).write_text(name, encoding="utf-8")
        claimed(first, name)

    left = InboxFolder(root, BYTES_MAX).leftovers()
    assert [each.name for each in left] == names
    assert [each.sha256 for each in left] == [hashlib.sha256(each.name.encode()).hexdigest() for each in left]


def test_accepted_files_keep_their_name_and_never_overwrite(inbox: InboxFolder, root: Path) -> None:
    for content in ("one", "two", "three"):
        (root / "my.weights.csv").write_text(content, encoding="utf-8")
        taken = claimed(inbox, "my.weights.csv")
        inbox.accept(taken.path, taken.name)

    assert files(root / "accepted") == {
        "my.weights.csv": "one",
        "my.weights.2.csv": "two",
        "my.weights.3.csv": "three",
    }


def test_rejected_files_lie_beside_their_reason(inbox: InboxFolder, root: Path) -> None:
    for content, reason in (("one", "第一行"), ("two", "second\nline")):
        (root / "a.csv").write_text(content, encoding="utf-8")
        taken = claimed(inbox, "a.csv")
        inbox.reject(taken.path, taken.name, reason)

    assert files(root / "rejected") == {
        "a.csv": "one",
        "a.csv.reason.txt": "第一行",
        "a.2.csv": "two",
        "a.2.csv.reason.txt": "second\nline",
    }
    assert (root / "rejected" / "a.2.csv.reason.txt").read_bytes() == b"\xef\xbb\xbfsecond\r\nline"


def test_filing_away_twice_changes_nothing(inbox: InboxFolder, root: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (root / name).write_text("x", encoding="utf-8")
    first, second = claimed(inbox, "a.csv"), claimed(inbox, "b.csv")
    for _ in range(2):
        inbox.accept(first.path, first.name)
        inbox.reject(second.path, second.name, "why")

    assert files(root / "accepted") == {"a.csv": "x"}
    assert files(root / "rejected") == {"b.csv": "x", "b.csv.reason.txt": "why"}


def test_a_move_that_was_cut_after_its_reason_is_finished_under_the_same_name(root: Path) -> None:
    def dies(source: Path, target: Path) -> None:
        if target.parent.name == "rejected" and target.suffix == ".csv":
            raise OSError(5, "the power went")
        source.replace(target)

    inbox = InboxFolder(root, BYTES_MAX, rename=dies)
    inbox.prepare()
    (root / "a.csv").write_text("x", encoding="utf-8")
    taken = claimed(inbox, "a.csv")
    with pytest.raises(OSError, match="power"):
        inbox.reject(taken.path, taken.name, "why")
    InboxFolder(root, BYTES_MAX).reject(taken.path, taken.name, "why")

    assert files(root / "rejected") == {"a.csv": "x", "a.csv.reason.txt": "why"}


def test_a_reason_alone_never_replaces_an_older_reason(inbox: InboxFolder, root: Path) -> None:
    inbox.reject("", "a.csv", "first")
    inbox.reject("", "a.csv", "second")
    inbox.reject("", "a.csv", "second")

    assert files(root / "rejected") == {"a.csv.reason.txt": "first", "a.2.csv.reason.txt": "second"}


def test_a_scanner_that_holds_the_file_for_a_moment_does_not_stop_the_move(root: Path) -> None:
    InboxFolder(root, BYTES_MAX).prepare()
    (root / "a.csv").write_text("x", encoding="utf-8")
    taken = claimed(InboxFolder(root, BYTES_MAX), "a.csv")
    InboxFolder(root, BYTES_MAX, rename=Refusing(2)).accept(taken.path, taken.name)

    assert files(root / "accepted") == {"a.csv": "x"}
