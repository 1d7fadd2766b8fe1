"""Whatever lands in the inbox gets one clear answer, and the system goes on (RELIABILITY.md 3.D)."""

from __future__ import annotations

import random
import sys
import zipfile
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest

from qws.domain.targets import Refusal, Weight
from qws.messages import TargetAccepted, TargetRejected, WeightFileSettled
from qws.store.inbox import InboxFolder
from tests.intake.world import LIMITS, World, a_target, virtual, weights
from tests.support.file_bytes import xlsx

HUGE = 100 * 1024 * 1024


def bomb() -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * HUGE)
    return content.getvalue()


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)


MIXED = "日期,证券代码,权重\n".encode("gbk") + "2026-11-23,600000.SH,0.1,浦发银行\n".encode()
# name: content, the code, and what the reason file must say besides
BAD_FILES: dict[str, tuple[str, bytes, str, tuple[str, ...]]] = {
    "empty": ("a.csv", b"", "empty_file", ("write",)),
    "blank": ("a.csv", b"\n \n", "empty_file", ("write",)),
    "header only": ("a.csv", weights(), "empty_file", ("one row per stock",)),
    "truncated row": ("a.csv", a_target()[:-12], "truncated_row", ("row 2", "send the whole file")),
    "truncated quote": ("a.csv", a_target() + b'2026-11-23,"000001', "truncated", ("row 3", "send the whole file")),
    "truncated workbook": ("a.xlsx", xlsx(("date",))[:900], "unreadable_workbook", ("save it as .xlsx again",)),
    "too many bytes": ("a.csv", b"x" * (LIMITS.bytes_max + 1), "file_too_large", (str(LIMITS.bytes_max),)),
    "too many rows": ("a.csv", a_target() + b"2026-11-23,000001.SZ,0\n" * 5001, "too_many_rows", ("5000", "split")),
    "binary": ("a.csv", noise(4096), "bad_encoding", ("save the file as CSV UTF-8",)),
    "binary workbook": ("a.xls", noise(4096), "unreadable_workbook", ("save it as .xlsx again",)),
    "semicolons": ("a.csv", a_target().replace(b",", b";"), "wrong_delimiter", ("semicolons", "commas")),
    "wrong header": ("a.csv", a_target().replace(b"weight", b"shares"), "missing_column", ("shares", "weight")),
    "no header": ("a.csv", a_target().split(b"\n", 1)[1], "missing_header", ("date,stock_code,weight",)),
    "mixed encodings": ("a.csv", MIXED, "bad_encoding", ("CSV UTF-8",)),
    "formula in code": ("a.csv", weights(("=HYPERLINK(1)", "0.1")), "formula_cell", ("row 2", "HYPERLINK", "value")),
    "formula in weight": ("a.csv", weights(("600000.SH", "=1/10")), "bad_weight", ("row 2", "'=1/10'", "value")),
    "formula in workbook": (
        "a.xlsx",
        xlsx(("date", "stock_code", "weight"), ("2026-11-23", "600000.SH", "=1/10")),
        "bad_weight",
        ("row 2", "formula"),
    ),
    "bad weight": ("a.csv", weights(("600000.SH", "abc")), "bad_weight", ("row 2", "'abc'", "0.05")),
    "bad date": ("a.csv", a_target().replace(b"2026-11-23", b"soon"), "bad_date", ("row 2", "'soon'", "2026-11-23")),
    "stale": ("a.csv", a_target().replace(b"2026-", b"2025-"), "stale_date", ("2025-11-23", "current file")),
    "twice a code": (
        "a.csv",
        weights(("600000.SH", "0.1"), ("sh600000", "0.2")),
        "duplicate_code",
        ("row 3", "600000.SH", "row 2"),
    ),
    "over one": ("a.csv", weights(("600000.SH", "60"), ("000001.SZ", "40")), "sum_over_one", ("100", "percents")),
    "all zero": ("a.csv", weights(("600000.SH", "0")), "empty_target", ("allow_empty",)),
    "zip bomb": ("a.xlsx", bomb(), "zip_bomb", ("unpacks", "send a small one")),
    "workbook named csv": ("a.csv", xlsx(("date",)), "wrong_type", (".xlsx",)),
    "csv named workbook": ("a.xlsx", a_target(), "unreadable_workbook", (".csv",)),
    "web page named workbook": ("a.xls", b"<html><table>", "unreadable_workbook", ("web page",)),
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "inbox")


def judge(world: World, count: int = 1) -> None:
    """Let the system run until that many files have their verdict, and then a correct one."""

    async def day() -> None:
        async with world.running():
            await world.ears.verdicts(count, seconds=60)
            await world.clock.sleep(60)
            world.drop("correct.csv", weights(("600519.SH", "0.5")))
            await world.ears.verdicts(count + 1, seconds=60)

    virtual(day)
    [*bad, last] = world.ears.judged
    assert isinstance(last, TargetAccepted)
    assert last.days[0].weights[0].code == "600519.SH"
    assert len(bad) == count
    assert len({msg.path for msg in world.ears.heard if isinstance(msg, WeightFileSettled)}) <= count + 1


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_gets_one_reason_and_the_next_file_is_taken(world: World, kind: str) -> None:
    name, content, code, parts = BAD_FILES[kind]
    world.drop(name, content)
    judge(world)

    reason = world.reason(name)
    assert reason.startswith(f"{name} was refused at 2026-11-23 09:00:")
    assert f"\n{code}: " in reason
    for part in parts:
        assert part in reason
    assert world.names("rejected") == [name, f"{name}.reason.txt"]
    assert (world.root / "rejected" / name).read_bytes() == content


def test_a_sparse_file_of_100_mb_is_refused_by_its_size_alone(world: World) -> None:
    with (world.root / "huge.csv").open("wb") as file:
        file.truncate(HUGE)
    judge(world)

    assert f"file_too_large: the file has {HUGE} bytes" in world.reason("huge.csv")
    assert (world.root / "rejected" / "huge.csv").stat().st_size == HUGE


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_is_refused_and_what_it_names_is_not_touched(world: World) -> None:
    secret = world.root.parent / "secret.csv"
    secret.write_bytes(a_target())
    (world.root / "link.csv").symlink_to(secret)
    judge(world)

    assert "symlink: this is a link" in world.reason("link.csv")
    assert "left in the inbox" in world.reason("link.csv")
    assert (world.root / "link.csv").is_symlink()
    assert secret.read_bytes() == a_target()


def test_a_folder_named_like_a_file_is_refused_and_stays(world: World) -> None:
    (world.root / "x.csv").mkdir()
    (world.root / "x.csv" / "inside.csv").write_bytes(a_target())
    judge(world)

    assert "not_a_file: this is a folder" in world.reason("x.csv")
    assert (world.root / "x.csv" / "inside.csv").read_bytes() == a_target()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot have such a name")
@pytest.mark.parametrize("name", ["CON.csv", "a.csv:evil.csv", "a\nb.csv", "\udcff.csv", "权" * 80 + ".csv"])
def test_a_name_that_not_every_system_can_keep_is_refused(world: World, name: str) -> None:
    (world.root / name).write_bytes(a_target())
    judge(world)

    [refused, _] = world.ears.judged
    assert isinstance(refused, TargetRejected)
    assert refused.name.isprintable()
    assert "bad_name" in world.reason(refused.name)


def test_a_file_replaced_after_the_first_look_waits_for_the_new_one(world: World) -> None:
    world.drop("a.csv", a_target(1))

    async def day() -> None:
        async with world.running():
            await world.clock.sleep(0.03)
            world.drop("a.csv", a_target(2))
            await world.ears.verdicts()

    virtual(day)
    [verdict] = world.ears.judged
    assert isinstance(verdict, TargetAccepted)
    assert verdict.days[0].weights == (Weight("600000.SH", Decimal("0.00002")),)
    assert (world.root / "accepted" / "a.csv").read_bytes() == a_target(2)


def test_a_file_that_changes_while_it_is_read_is_refused(world: World) -> None:
    class Overwritten(InboxFolder):
        """Somebody still had the file open when it was claimed."""

        def read(self, path: str, sha256: str) -> bytes | Refusal:
            if path.endswith("a.csv"):
                Path(path).write_bytes(a_target(2))
            return super().read(path, sha256)

    world.drop("a.csv", a_target(1))
    world.inbox = Overwritten(world.root, LIMITS.bytes_max)
    judge(world)

    assert "changed_while_read" in world.reason("a.csv")


def test_the_same_bytes_under_another_name_are_refused_naming_the_first(world: World) -> None:
    world.drop("first.csv", a_target())
    world.drop("second.csv", a_target())
    judge(world, 2)

    assert "duplicate: the same bytes were accepted as first.csv at 2026-11-23 09:00:" in world.reason("second.csv")
    assert world.names("accepted") == ["correct.csv", "first.csv"]


def test_a_hundred_bad_files_at_once_get_a_hundred_reasons(world: World) -> None:
    for number in range(100):
        world.drop(f"{number:02}.csv", weights(("600000.SH", f"bad{number}")))
    judge(world, 100)

    assert all(f"'bad{number}'" in world.reason(f"{number:02}.csv") for number in range(100))


def test_files_of_one_name_never_overwrite_each_other(world: World) -> None:
    async def day() -> None:
        async with world.running():
            for number, content in enumerate([b"bad one", a_target(1), b"bad two", a_target(2)], 1):
                world.drop("a.csv", content)
                await world.ears.verdicts(number)

    virtual(day)
    assert world.names("accepted") == ["a.2.csv", "a.csv"]
    assert world.names("rejected") == ["a.2.csv", "a.2.csv.reason.txt", "a.csv", "a.csv.reason.txt"]
    assert (world.root / "rejected" / "a.2.csv").read_bytes() == b"bad two"
    assert (world.root / "accepted" / "a.2.csv").read_bytes() == a_target(2)
