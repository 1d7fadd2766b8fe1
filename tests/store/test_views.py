from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from qws.domain.orders import OrderStatus
from qws.errors import StoreError
from qws.messages import LinkLost, LinkReady, PlanDrafted, PlanReady
from qws.runtime.message import Envelope, Message
from qws.store.journal import InlineJournal
from qws.store.reading import Views, answer_of, ask
from qws.store.views import ActorRow, Control, DaemonRow, Projector
from tests.store.samples import OPEN, a_run, at, fill, intent, logged, plan, report


def described(message: Message) -> str:
    return f"a {type(message).__name__}"


def projected(path: Path, batch: Sequence[Envelope]) -> None:
    projector = Projector(path, described)
    projector.apply(batch)
    projector.flush()
    projector.close()


def caught_up(path: Path, batch: Sequence[Envelope]) -> None:
    async def body() -> None:
        journal = await InlineJournal.open(":memory:")
        await journal.append(batch)
        projector = Projector(path, described)
        try:
            await projector.catch_up(journal)
        finally:
            projector.close()
            await journal.close()

    asyncio.run(body())


def tables(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_what_was_applied_live_equals_what_is_rebuilt_from_the_journal(tmp_path: Path) -> None:
    live, rebuilt = tmp_path / "live.sqlite", tmp_path / "rebuilt.sqlite"
    projected(live, a_run())

    caught_up(rebuilt, a_run())

    assert tables(rebuilt) == tables(live)


def test_batches_of_any_size_told_twice_change_nothing(tmp_path: Path) -> None:
    once, pieces = tmp_path / "once.sqlite", tmp_path / "pieces.sqlite"
    projected(once, a_run())

    chance, rest = Random("pieces"), a_run()
    while rest:
        size = chance.randrange(1, 5)
        projected(pieces, rest[:size])
        projected(pieces, rest[:size] + rest[:size])
        rest = rest[size:]

    assert tables(pieces) == tables(once)


def test_a_restart_goes_on_where_the_tables_ended(tmp_path: Path) -> None:
    path, whole = tmp_path / "views.sqlite", tmp_path / "whole.sqlite"
    projected(whole, a_run())
    projected(path, a_run()[:9])

    caught_up(path, a_run())

    assert tables(path) == tables(whole)


def test_nothing_is_written_before_the_flush(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, described)
    projector.apply(a_run())
    assert Views(path).runs() == []
    projector.flush()
    assert len(Views(path).runs()) == 1
    projector.close()


@pytest.mark.parametrize("damage", ["text", "header", "old schema", "newer schema", "ahead of the journal"])
def test_tables_that_cannot_be_trusted_are_rebuilt(tmp_path: Path, damage: str) -> None:
    path, sound = tmp_path / "views.sqlite", tmp_path / "sound.sqlite"
    projected(sound, a_run())
    projected(path, [*a_run(), *logged(LinkReady(), start=100)] if damage.startswith("ahead") else a_run())
    if damage == "text":
        path.write_text("this is no database, and it is longer than the header of one " * 9, encoding="utf-8")
    elif damage == "header":
        path.write_bytes(path.read_bytes()[:100] + bytes(4000) + path.read_bytes()[4100:])
    elif damage.endswith("schema"):
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version = {99 if damage.startswith('newer') else -1}")
        connection.close()

    caught_up(path, a_run())

    assert tables(path) == tables(sound)


@pytest.mark.parametrize("cause", ["first schema", "newer schema", "ahead of the journal", "damage elsewhere"])
def test_orders_that_wait_outlive_the_renewal_of_the_tables(tmp_path: Path, cause: str) -> None:
    path = tmp_path / "views.sqlite"
    projected(path, [*a_run(), *logged(LinkReady(), start=100)] if cause.startswith("ahead") else a_run())
    answered, halt, ack = (
        ask(path, word, each, "li", at(1)) for word, each in (("resume", ""), ("halt", ""), ("ack", "A1"))
    )
    connection = sqlite3.connect(path)
    connection.execute("UPDATE control SET answer = 'accepted' WHERE id = ?", (answered,))
    connection.commit()
    if cause == "first schema":
        connection.executescript("DROP TABLE alert; DROP TABLE alert_told; DROP TABLE arrival; PRAGMA user_version = 1")
    elif cause == "newer schema":
        connection.execute("PRAGMA user_version = 99")
    elif cause == "damage elsewhere":
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'message'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    if cause == "damage elsewhere":
        content = path.read_bytes()
        path.write_bytes(content[: (page - 1) * size] + b"\xff" * size + content[page * size :])

    caught_up(path, a_run())

    projector = Projector(path, described)
    assert [tuple(each) for each in projector.unanswered()] == [(halt, "halt", "", "li"), (ack, "ack", "A1", "li")]
    projector.close()
    assert [run["run_id"] for run in Views(path).runs()] == ["R1"]
    assert ask(path, "resume", "", "li", at(2)) > ack


def test_an_order_moves_from_intent_to_fill(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    steps: list[tuple[Message, tuple[str, str, int]]] = [
        (intent("q1a"), ("", "unreported", 0)),
        (report("q1a", OrderStatus.REPORTED), ("77", "reported", 0)),
        (fill("q1a", "F1", 40), ("77", "reported", 40)),
        (report("q1a", OrderStatus.UNKNOWN), ("77", "unknown", 40)),
        (report("q1a", OrderStatus.PART_SUCC, 40), ("77", "part_succ", 40)),
        (fill("q1a", "F2", 60), ("77", "part_succ", 100)),
        (fill("q1a", "F2", 60, Decimal("5.00")), ("77", "part_succ", 100)),
        (report("q1a", OrderStatus.SUCCEEDED, 100), ("77", "succeeded", 100)),
    ]
    for id_, (message, expected) in enumerate(steps, 1):
        projected(path, logged(message, start=id_))
        (order,) = Views(path).orders()
        assert (order["order_id"], order["status"], order["filled"]) == expected
    assert [(each["trade_id"], each["fee"], each["run_id"]) for each in Views(path).fills()] == [
        ("F1", None, "R1"),
        ("F2", 5.0, "R1"),
    ]


@pytest.mark.parametrize("status", list(OrderStatus))
def test_every_order_status_has_its_lower_case_name(tmp_path: Path, status: OrderStatus) -> None:
    path = tmp_path / "views.sqlite"
    projected(path, logged(intent("q1a"), report("q1a", status)))
    assert Views(path).orders()[0]["status"] == status.name.lower()


def test_a_command_that_holds_the_file_delays_the_flush_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, described)
    command = sqlite3.connect(path, isolation_level=None)
    command.execute("BEGIN IMMEDIATE")
    projector.apply(a_run())

    projector.flush()
    assert Views(path).runs() == []
    command.execute("ROLLBACK")
    command.close()
    projector.flush()

    assert [run["run_id"] for run in Views(path).runs()] == ["R1"]
    projector.close()


def test_a_full_disk_says_so_and_keeps_the_tables_whole(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, described)
    projector._connection.execute("PRAGMA max_page_count = 1").fetchall()
    before = tables(path)
    projector.apply(logged(*[LinkLost("x" * 500)] * 2000))
    projector._describe = lambda message: "y" * 500

    with pytest.raises(StoreError, match="full"):
        projector.flush()

    assert tables(path) == before
    projector.close()


def test_the_daemon_says_how_it_and_its_actors_are(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, described)
    for inbox in (3, 0):
        projector.write_daemon(DaemonRow("running", 4711, OPEN, at(inbox), "0.1.0", "paper"))
        projector.write_actors([ActorRow("planner", "ready", inbox, 9), ActorRow("broker_link", "halted", 0, 1)])
    projector.close()

    assert Views(path).daemon() == {
        "state": "running",
        "pid": 4711,
        "started_at": OPEN.isoformat(),
        "heartbeat_at": OPEN.isoformat(),
        "version": "0.1.0",
        "mode": "paper",
        "metrics": "",
    }
    assert [(each["name"], each["inbox"]) for each in Views(path).actors()] == [("broker_link", 0), ("planner", 0)]


def test_an_order_from_another_process_is_answered_once(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, described)
    control = Control(projector, lambda: at(5))
    first = ask(path, "halt", "", "li", at(1))
    second = ask(path, "cancel", "R1", "wang", at(2))

    assert [(each.id, each.command, each.argument, each.by) for each in control.unanswered()] == [
        (first, "halt", "", "li"),
        (second, "cancel", "R1", "wang"),
    ]
    assert answer_of(path, first) is None
    control.answer(first, "accepted")
    assert answer_of(path, first) == "accepted"
    assert [each.id for each in control.unanswered()] == [second]
    projector.close()


def test_while_a_command_holds_the_file_an_order_is_neither_lost_nor_fatal(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, described)
    control = Control(projector, lambda: at(5))
    id_ = ask(path, "halt", "", "li", at(1))
    command = sqlite3.connect(path, isolation_level=None)
    command.execute("BEGIN IMMEDIATE")

    assert not control.answer(id_, "accepted")
    command.execute("ROLLBACK")
    command.close()
    assert answer_of(path, id_) is None
    assert [each.id for each in control.unanswered()] == [id_]
    assert control.answer(id_, "accepted")

    assert answer_of(path, id_) == "accepted"
    projector.close()


def test_a_file_held_for_its_owner_alone_shows_no_orders_until_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, described)
    projector._connection.execute("PRAGMA journal_mode = DELETE").fetchall()
    id_ = ask(path, "halt", "", "li", at(1))
    owner = sqlite3.connect(path, isolation_level=None)
    owner.execute("BEGIN EXCLUSIVE")

    assert projector.unanswered() == []
    owner.execute("ROLLBACK")
    owner.close()

    assert [each.id for each in projector.unanswered()] == [id_]
    projector.close()


def test_the_final_plan_replaces_the_draft_and_a_preview_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    start = a_run()[:6]
    projected(path, [*start, *logged(PlanReady(plan(preview=True)), start=7)])
    assert Views(path).last_run()["status"] == "planning"
    projected(path, logged(PlanDrafted(plan(reason="draft")), PlanReady(plan()), start=8))
    assert Views(path).last_run()["status"] == "running"
    assert [row["reason"] for row in Views(path).plan("R1")] == ["", "t_plus_one"]
