"""A backup is whole or it is refused by the name of what is spoilt."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from random import Random

import pytest

from qws.errors import StoreError
from qws.store.backup import MANIFEST, BackupFile, Manifest, check_backup, read_manifest, require_room, unpack
from qws.store.chain import GENESIS, Head
from qws.store.codec import SHANGHAI

AT = datetime(2026, 11, 21, 15, 10, 3, tzinfo=SHANGHAI)
CONTENT = {
    "config/qws.toml": b'mode = "paper"\n' * 40,
    "state/journal.sqlite": Random("journal").randbytes(3_000_000),
    "state/targets/2026/t.parquet": Random("target").randbytes(700),
    "inbox/accepted/\u6743\u91cd.csv": "日期,证券代码,权重\n".encode("gbk"),
    "empty": b"",
}


def nothing() -> None:
    return


def packed(path: Path, home: Path, keep_on: Callable[[], None] = nothing) -> Manifest:
    for name, content in CONTENT.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    file = BackupFile(path, keep_on)
    try:
        file.add((name, home / name) for name in CONTENT)
        return file.finish(AT, "0.1.0", Head(7, GENESIS))
    finally:
        file.discard()


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    packed(tmp_path / "b.zip", tmp_path / "home")
    return tmp_path / "b.zip"


def test_what_was_packed_is_unpacked_byte_for_byte(backup: Path, tmp_path: Path) -> None:
    manifest = unpack(backup, tmp_path / "there", nothing)

    assert contents(tmp_path / "there") == CONTENT
    assert manifest == check_backup(backup, nothing) == read_manifest(backup)
    assert manifest.journal_head == Head(7, GENESIS)
    assert not (tmp_path / "b.zip.tmp").exists()


@pytest.mark.parametrize("name", [name for name, content in CONTENT.items() if content])
def test_a_spoilt_member_is_named(backup: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(backup) as archive:
        entry = archive.getinfo(name)
    start = entry.header_offset + 30 + len(name.encode()) + 20  # the zip64 field of the local header
    spoilt = bytearray(backup.read_bytes())
    spoilt[start + entry.compress_size // 2] ^= 0x10
    backup.write_bytes(spoilt)

    for look in (lambda: check_backup(backup, nothing), lambda: unpack(backup, tmp_path / "there", nothing)):
        with pytest.raises(StoreError, match=f"b.zip is spoilt: {name} "):
            look()


def test_no_flipped_byte_gives_other_contents(backup: Path, tmp_path: Path) -> None:
    sound, chance, refused = backup.read_bytes(), Random("flip"), 0
    small = [chance.randrange(len(sound)) for _ in range(20)]
    directory = [chance.randrange(len(sound) - 1500, len(sound)) for _ in range(60)]
    for number, place in enumerate(small + directory):
        spoilt = bytearray(sound)
        spoilt[place] ^= chance.randrange(1, 256)
        backup.write_bytes(spoilt)
        try:
            unpack(backup, tmp_path / str(number), nothing)
        except StoreError:
            refused += 1
        else:
            assert contents(tmp_path / str(number)) == CONTENT
    assert refused > 40


@pytest.mark.parametrize("cut", [1, 100, 2_000_000])
def test_a_backup_that_lost_its_end_is_refused(backup: Path, cut: int) -> None:
    backup.write_bytes(backup.read_bytes()[:-cut])

    with pytest.raises(StoreError, match=r"b\.zip"):
        check_backup(backup, nothing)


def rewritten(backup: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(backup) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(backup, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def manifested(held: dict[str, bytes], **changes: object) -> None:
    held[MANIFEST] = json.dumps({**json.loads(held[MANIFEST]), **changes}).encode()


def escaping(members: dict[str, bytes]) -> None:
    facts = json.loads(members[MANIFEST])["members"]
    members["../outside"] = members.pop("empty")
    manifested(members, members={"../outside" if name == "empty" else name: fact for name, fact in facts.items()})


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda members: members.pop("config/qws.toml"), "config/qws.toml is missing in it"),
        (lambda members: members.update({"extra": b"x"}), "extra is not in its manifest"),
        (lambda members: members.update({"empty": b"x"}), "empty is not what was written"),
        (lambda members: members.pop(MANIFEST), "manifest.json cannot be read"),
        (lambda members: members.update({MANIFEST: b"{}"}), "manifest.json cannot be read"),
        (lambda members: members.update({MANIFEST: b"[1]"}), "manifest.json cannot be read"),
        (lambda members: manifested(members, format=2), "format 2, this program knows 1"),
        (lambda members: manifested(members, head="none"), "manifest.json cannot be read"),
        (escaping, "../outside would lie outside the home"),
    ],
)
def test_a_backup_that_somebody_changed_is_refused_with_what(
    backup: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], what: str
) -> None:
    rewritten(backup, change)

    with pytest.raises(StoreError, match=what.replace(".", r"\.")):
        unpack(backup, tmp_path / "there", nothing)
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 100])
def test_what_is_no_backup_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.zip").write_bytes(content)

    with pytest.raises(StoreError, match="no backup that can be read"):
        check_backup(tmp_path / "b.zip", nothing)


@pytest.mark.parametrize("calls", [1, 3, 5])
def test_what_is_stopped_on_the_way_leaves_nothing_and_spares_the_old_one(tmp_path: Path, calls: int) -> None:
    seen: list[None] = []

    def stop() -> None:
        seen.append(None)
        if len(seen) == calls:
            raise InterruptedError

    packed(tmp_path / "b.zip", tmp_path / "home")
    before = (tmp_path / "b.zip").read_bytes()

    with pytest.raises(InterruptedError):
        packed(tmp_path / "b.zip", tmp_path / "home", stop)

    assert (tmp_path / "b.zip").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "home"]


def test_a_folder_that_is_not_there_is_not_made_with_those_above_it(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="unplugged"):
        packed(tmp_path / "unplugged" / "backups" / "b.zip", tmp_path / "home")
    assert not (tmp_path / "unplugged").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is a thing of Linux")
def test_a_full_disk_is_told_and_keeps_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "b.zip.tmp").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"):
        packed(tmp_path / "b.zip", tmp_path / "home")

    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_disk_without_room_is_refused_by_what_is_free_and_needed(tmp_path: Path) -> None:
    require_room(tmp_path, 0)

    with pytest.raises(StoreError, match=r"MB free, a backup needs .* MB; make room, or name a folder on another disk"):
        require_room(tmp_path, shutil.disk_usage(tmp_path).total)
