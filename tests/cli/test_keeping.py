"""backup, restore, audit, compact and export as a person calls them, beside a daemon, after one, and after a kill."""

from __future__ import annotations

import csv
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from qws.arming import arm_home
from qws.cli import cli
from qws.cli.export import read_csv
from qws.config import load_config
from qws.domain.orders import OrderStatus
from qws.errors import StoreError
from qws.home import Home
from qws.messages import OrderUpdated
from qws.runtime.clock import SystemClock
from qws.runtime.message import Envelope
from qws.store.reading import Record, Views
from tests.acceptance.living import a_home, drop, journalled, living
from tests.cli.rig import as_json, call, fill, held
from tests.crashes.doomed import doomed
from tests.store.samples import a_run, report
from tests.store.test_compact import three_months, written

HALF = {"600519.SH": "0.3", "000001.SZ": "0.2"}


def record(answer: object) -> Record:
    assert isinstance(answer, dict)
    return cast("Record", answer)


def altered(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute(sql)


def said(message: str, id_: int) -> Envelope:
    """The broker turns an order down in these words."""
    order = replace(report("q1a", OrderStatus.JUNK).order, message=message)
    return Envelope(id_, id_, None, a_run()[9].at, "test", OrderUpdated(order))


@pytest.fixture
def lived(home: Home) -> Home:
    """A home in which a daemon once ran."""
    written(home.journal, a_run())
    fill(home, a_run())
    return home


def test_beside_a_daemon_a_backup_is_made_and_restored_elsewhere_and_nothing_is_traded_twice(tmp_path: Path) -> None:
    home, there = a_home(tmp_path / "home"), Home(tmp_path / "there")
    arm_home(home, load_config(home.config_file), SystemClock().now(), "me")
    with living(home) as daemon:
        daemon.until_ready()
        drop(home, "w.csv", HALF)
        daemon.until_runs_end()
        made = record(as_json(home, "backup", str(tmp_path / "b.zip")))
        sound = record(as_json(home, "audit", "verify"))
        assert sound["sound"] is True
        assert record(as_json(home, "audit", "verify", "--head", str(made["head"])))["sound"] is True
        assert call(home, "backup", str(tmp_path / "b.zip")).code == 3
        assert call(home, "backup", str(tmp_path / "no" / "b.zip")).code == 3
        assert "stop it" in call(home, "compact").err
    orders = journalled(home, "PlaceOrder")
    assert len(orders) == len(HALF)

    result = CliRunner().invoke(cli, ["restore", str(tmp_path / "b.zip"), str(there.root)])
    assert result.exit_code == 0
    assert "trading is halted in it" in result.stdout
    assert not there.armed.exists()
    with living(there) as daemon:
        daemon.until_ready()
        drop(there, "w.csv", HALF)
        daemon.until(lambda: "duplicate" in daemon.log(), "the same file was refused")
        drop(there, "other.csv", {"600036.SH": "0.1"})
        assert daemon.until_runs_end(2)[-1]["reason"] == "halted"
        assert record(as_json(there, "status"))["halted"] is True
        assert daemon.stop()[0] == 0
    assert journalled(there, "PlaceOrder") == orders
    assert record(as_json(there, "audit", "verify"))["problem"] == ""


def test_a_home_restored_from_the_middle_of_a_run_places_nothing(tmp_path: Path) -> None:
    home, there = a_home(tmp_path / "home", absent_after_s="1.0"), Home(tmp_path / "there")
    drop(home, "w.csv", HALF)
    with doomed(home, (1, "after"), "PlaceOrder") as daemon:
        daemon.process.wait(30)
    assert call(home, "backup", str(tmp_path / "b.zip")).code == 0
    orders = journalled(home, "PlaceOrder")
    assert orders

    assert CliRunner().invoke(cli, ["restore", str(tmp_path / "b.zip"), str(there.root)]).exit_code == 0
    with living(there) as daemon:
        assert daemon.until_runs_end()[-1]["reason"] in ("halted", "interrupted")
        assert daemon.stop()[0] == 0
    assert journalled(there, "PlaceOrder") == orders


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE message SET body = replace(body, '100', '200') WHERE id = 9", "row 9 (PlaceOrder"),
        ("DELETE FROM message WHERE id = 11", "row 11 is missing before it"),
        ("DELETE FROM message WHERE id > 15", "rows 16 to 19 are missing at the end: the read models know them"),
    ],
)
def test_an_audit_finds_what_was_done_to_the_journal_and_changes_nothing(lived: Home, sql: str, found: str) -> None:
    assert "19 rows are as they were written" in call(lived, "audit", "verify").out
    altered(lived.journal, sql)
    before = lived.journal.read_bytes()

    answer = call(lived, "audit", "verify")

    assert (answer.code, answer.out) == (1, "")
    assert found in answer.err
    assert lived.journal.read_bytes() == before
    document = call(lived, "audit", "verify", "--json")
    assert (document.code, record(document.json)["sound"]) == (1, False)


def test_an_audit_knows_what_backups_and_notes_say_of_the_end(lived: Home) -> None:
    head = call(lived, "audit", "head").out.strip()
    assert call(lived, "backup").code == 0
    lived.views.unlink()
    altered(lived.journal, "DELETE FROM message WHERE id > 15")

    assert "missing at the end" in call(lived, "audit", "verify").err
    (kept,) = (lived.root / "backups").iterdir()
    assert call(lived, "audit", "verify", "--backup", str(kept)).code == 0
    kept.unlink()
    assert call(lived, "audit", "verify").code == 0
    assert "--head has them" in call(lived, "audit", "verify", "--head", head).err
    assert call(lived, "audit", "verify", "--head", "nonsense").code == 2


def test_a_spoilt_backup_is_refused_by_the_name_of_its_member(lived: Home, tmp_path: Path) -> None:
    call(lived, "backup", str(tmp_path / "b.zip"))
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        entry = archive.getinfo("state/journal.sqlite")
    content = bytearray((tmp_path / "b.zip").read_bytes())
    content[entry.header_offset + 200] ^= 1
    (tmp_path / "b.zip").write_bytes(content)

    result = CliRunner().invoke(cli, ["restore", str(tmp_path / "b.zip"), str(tmp_path / "there")])

    assert isinstance(result.exception, StoreError)
    assert "b.zip is spoilt: state/journal.sqlite" in str(result.exception)
    assert not (tmp_path / "there").exists()


def test_history_reads_the_same_after_old_months_left_the_journal(home: Home) -> None:
    written(home.journal, three_months())
    fill(home, three_months())
    shown = (("runs",), ("trace", "last"), ("orders",), ("audit", "head"))
    before = [call(home, *words).out for words in shown]

    moved = record(as_json(home, "compact", "--months", "1"))["moved"]

    assert isinstance(moved, list)
    assert [each["month"] for each in moved][:1] == ["2026-09"]
    assert [call(home, *words).out for words in shown] == before
    assert "nothing is older" in call(home, "compact", "--months", "1000").out


@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
@pytest.mark.parametrize("kind", ["orders", "fills", "positions", "equity", "target"])
def test_an_export_reads_back_as_the_tables_say(lived: Home, tmp_path: Path, kind: str, encoding: str) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old", encoding="utf-8")

    answer = call(lived, "export", kind, "--encoding", encoding, "--out", str(out))

    assert (answer.code, answer.err) == (0, "")
    views = Views(lived.views)
    wanted = {
        "orders": [row["tag"] for row in views.orders()],
        "fills": [row["trade_id"] for row in views.fills()],
        "positions": list(views.positions()),
        "equity": [row["day"] for row in views.equity()],
        "target": ["600519.SH"],
    }[kind]
    with out.open(encoding=encoding, newline="") as file:
        rows = list(csv.DictReader(file))
    column = {"orders": "tag", "fills": "trade_id", "equity": "day"}.get(kind, "stock_code")
    assert [row[column] for row in rows] == wanted
    assert wanted
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ""] == ["out.csv"]


def test_an_export_is_exact_and_runs_no_formula(home: Home, tmp_path: Path) -> None:
    order = report("q1a", OrderStatus.JUNK).order
    said = OrderUpdated(
        type(order)(**{**{name: getattr(order, name) for name in order.__slots__}, "message": "=1+废单"})
    )
    batch = [*a_run()[:9], Envelope(10, 10, None, a_run()[9].at, "test", said)]
    fill(home, batch)

    for encoding in ("utf-8", "gbk"):
        call(home, "export", "orders", "--encoding", encoding, "--out", str(tmp_path / "o.csv"))
        heading, row = read_csv((tmp_path / "o.csv").read_bytes(), encoding)
        assert dict(zip(heading, row, strict=True))["message"] == "'=1+废单"
        assert dict(zip(heading, row, strict=True))["price"] == "1688.0"


def test_what_gbk_cannot_say_is_refused_and_the_old_file_stays(home: Home, tmp_path: Path) -> None:
    fill(home, [said("😀", 1)])
    (tmp_path / "o.csv").write_text("old", encoding="utf-8")

    answer = call(home, "export", "orders", "--encoding", "gbk", "--out", str(tmp_path / "o.csv"))

    assert answer.code == 3
    assert "--encoding utf-8" in answer.err
    assert (tmp_path / "o.csv").read_text(encoding="utf-8") == "old"


def test_an_export_without_a_file_goes_to_the_terminal_and_an_empty_home_has_only_headings(home: Home) -> None:
    assert (
        call(home, "export", "target").out == "date,stock_code,weight\r\n" or call(home, "export", "target").code == 0
    )
    assert call(home, "export", "everything").code == 2


def test_a_daemon_that_holds_the_home_and_is_deaf_keeps_a_compaction_out(lived: Home) -> None:
    with held(lived):
        assert call(lived, "compact").code == 3
