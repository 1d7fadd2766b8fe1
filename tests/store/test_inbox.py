"""The inbox on a real disk: nothing is followed, nothing is lost, nothing is overwritten."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from qws.domain.targets import Refusal
from qws.store.inbox import InboxFolder
from qws.store.lease import is_being_written
from tests.store.inbox_rig import AT, BYTES_MAX, Refusing, claimed, files, held_open, scanned

needs_links = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
needs_leases = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has leases")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "inbox"


@pytest.fixture
def inbox(root: Path) -> InboxFolder:
    folder = InboxFolder(root, BYTES_MAX)
    folder.prepare()
    return folder


def test_preparing_makes_the_folders_and_may_be_repeated(inbox: InboxFolder, root: Path) -> None:
    inbox.prepare()

    assert {path.name for path in root.iterdir()} == {"accepted", "rejected", "results", ".claimed"}


def test_only_what_deserves_an_answer_is_scanned(inbox: InboxFolder, root: Path) -> None:
    for name in ("a.csv", "b.XLSX", "c.xls", "d.txt", "e", ".gitkeep", "~$b.XLSX", "f.csv.tmp", "a.csv.reason.txt"):
        (root / name).write_text("x", encoding="utf-8")
    (root / "older").mkdir()

    assert {name: drop.refusal and drop.refusal.code for name, drop in scanned(inbox).items()} == {
        "a.csv": None,
        "b.XLSX": None,
        "c.xls": None,
        "d.txt": "unsupported_file",
        "e": "unsupported_file",
    }


@needs_links
def test_folders_links_and_pipes_are_refused_by_name_and_never_followed(inbox: InboxFolder, root: Path) -> None:
    (root.parent / "secret.csv").write_text("x", encoding="utf-8")
    (root / "folder.csv").mkdir()
    (root / "link.csv").symlink_to(root.parent / "secret.csv")
    (root / "dangling.csv").symlink_to(root / "nowhere.csv")
    (root / "folder-link.csv").symlink_to(root.parent, target_is_directory=True)
    if sys.platform != "win32":
        os.mkfifo(root / "pipe.csv")

    assert {name: drop.refusal and drop.refusal.code for name, drop in scanned(inbox).items()} == {
        "folder.csv": "not_a_file",
        "link.csv": "symlink",
        "dangling.csv": "symlink",
        "folder-link.csv": "symlink",
        "pipe.csv": "not_a_file",
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot have such names")
def test_names_that_windows_cannot_have_are_refused(inbox: InboxFolder, root: Path) -> None:
    for name in ("CON.csv", "a.csv:evil.csv", os.fsdecode(b"\xff\xfe.csv")):
        (root / name).write_text("x", encoding="utf-8")

    assert {drop.refusal and drop.refusal.code for drop in scanned(inbox).values()} == {"bad_name"}


def test_a_folder_that_cannot_be_reached_is_not_an_empty_folder(inbox: InboxFolder, root: Path) -> None:
    root.rename(root.with_name("gone"))

    assert inbox.scan() is None
    assert inbox.leftovers() == []


@pytest.mark.skipif(sys.platform == "win32", reason="there, the time of a rename is not kept")
def test_a_rename_shows_in_the_times_when_the_file_is_older(inbox: InboxFolder, root: Path) -> None:
    (root.parent / "a.csv").write_text("x", encoding="utf-8")
    os.utime(root.parent / "a.csv", (1, 1))
    (root.parent / "a.csv").rename(root / "a.csv")
    (root / "b.csv").write_text("x", encoding="utf-8")

    drops = scanned(inbox)
    assert drops["a.csv"].whole
    assert not drops["b.csv"].whole


def test_a_claim_takes_the_file_out_and_tells_the_hash_of_its_bytes(inbox: InboxFolder, root: Path) -> None:
    (root / "权重 3月.csv").write_bytes(b"abc")
    taken = claimed(inbox, "权重 3月.csv")

    assert (taken.name, taken.size_bytes, taken.sha256) == ("权重 3月.csv", 3, hashlib.sha256(b"abc").hexdigest())
    assert Path(taken.path).parent == root / ".claimed"
    assert inbox.read(taken.path, taken.sha256) == b"abc"
    assert scanned(inbox) == {}


def test_no_two_claims_share_a_path(inbox: InboxFolder, root: Path) -> None:
    paths = set()
    for _ in range(3):
        (root / "a.csv").write_text("x", encoding="utf-8")
        taken = claimed(inbox, "a.csv")
        paths.add(taken.path)
        inbox.accept(taken.path, taken.name)

    assert len(paths) == 3


@pytest.mark.parametrize("winerror", [5, 32, 33])
def test_a_file_that_somebody_holds_is_left_for_later(root: Path, winerror: int) -> None:
    inbox = InboxFolder(root, BYTES_MAX, rename=Refusing(1, winerror))
    inbox.prepare()
    (root / "a.csv").write_text("x", encoding="utf-8")
    drop = scanned(inbox)["a.csv"]

    assert inbox.claim(drop, AT) is None
    assert inbox.claim(drop, AT) is not None


@needs_leases
def test_a_file_that_another_process_writes_is_left_for_later(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_text("x", encoding="utf-8")
    drop = scanned(inbox)["a.csv"]

    with held_open(root / "a.csv", "a"):
        assert is_being_written(root / "a.csv")
        assert inbox.claim(drop, AT) is None
    assert not is_being_written(root / "a.csv")
    assert inbox.claim(drop, AT) is not None


@needs_leases
def test_a_file_that_another_process_only_reads_is_taken(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_text("x", encoding="utf-8")

    with held_open(root / "a.csv", "r"):
        assert inbox.claim(scanned(inbox)["a.csv"], AT) is not None


@needs_leases
def test_asking_who_writes_does_not_harm_us_when_a_writer_comes(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_text("x", encoding="utf-8")
    path = str(root / "a.csv")
    program = f"print('on', flush=True)\nfor _ in range(100_000): open({path!r}, 'a').close()"

    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        while writer.poll() is None:
            is_being_written(root / "a.csv")

    assert writer.returncode == 0
    assert not is_being_written(root / "a.csv")


def test_a_file_that_changed_since_the_look_is_left_for_later(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_text("x", encoding="utf-8")
    drop = scanned(inbox)["a.csv"]
    (root / "a.csv").write_text("xy", encoding="utf-8")

    assert inbox.claim(drop, AT) is None
    assert files(root) == {"a.csv": "xy"}
    assert not scanned(inbox)["a.csv"].whole


def test_a_file_that_slips_in_at_the_last_moment_is_put_back(root: Path) -> None:
    def slip_in(source: Path, target: Path) -> None:
        if target.parent.name == ".claimed":
            source.with_name("new.tmp").write_text("newer", encoding="utf-8")
            source.with_name("new.tmp").replace(source)
        source.replace(target)

    inbox = InboxFolder(root, BYTES_MAX, rename=slip_in)
    inbox.prepare()
    (root / "a.csv").write_text("x", encoding="utf-8")

    assert inbox.claim(scanned(inbox)["a.csv"], AT) is None
    assert files(root) == {"a.csv": "newer"}
    assert inbox.leftovers() == []


def test_a_file_that_is_gone_is_not_claimed(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_text("x", encoding="utf-8")
    drop = scanned(inbox)["a.csv"]
    (root / "a.csv").unlink()

    assert inbox.claim(drop, AT) is None


def test_bytes_that_changed_after_the_claim_are_refused(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_text("abc", encoding="utf-8")
    taken = claimed(inbox, "a.csv")
    Path(taken.path).write_text("abd", encoding="utf-8")

    found = inbox.read(taken.path, taken.sha256)
    assert isinstance(found, Refusal)
    assert found.code == "changed_while_read"


def test_a_file_above_the_limit_is_never_loaded(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_bytes(b"x" * (BYTES_MAX + 500))
    taken = claimed(inbox, "a.csv")

    assert taken.size_bytes == BYTES_MAX + 500
    assert taken.sha256 == hashlib.sha256(b"x" * (BYTES_MAX + 1)).hexdigest()
    found = inbox.read(taken.path, taken.sha256)
    assert isinstance(found, Refusal)
    assert found.code == "file_too_large"
    assert str(BYTES_MAX + 500) in found.text


def test_a_claimed_file_that_vanished_is_refused(inbox: InboxFolder, root: Path) -> None:
    (root / "a.csv").write_text("abc", encoding="utf-8")
    taken = claimed(inbox, "a.csv")
    Path(taken.path).unlink()

    found = inbox.read(taken.path, taken.sha256)
    assert isinstance(found, Refusal)
    assert found.code == "unreadable_file"


def test_only_claimed_files_are_read_whatever_the_path_says(inbox: InboxFolder, root: Path) -> None:
    (root.parent / "secret.csv").write_text("secret", encoding="utf-8")
    sha256 = hashlib.sha256(b"secret").hexdigest()

    assert isinstance(inbox.read(str(root / ".claimed" / ".." / ".." / "secret.csv"), sha256), Refusal)
