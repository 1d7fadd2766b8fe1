"""`qws recover --dry-run`: what it foretells comes true, and nothing on the disk is changed by asking."""

from __future__ import annotations

from pathlib import Path

from qws.home import Home
from tests.acceptance.living import a_home, exchange_tags, journalled, living
from tests.acceptance.living import drop as drop_now
from tests.acceptance.processes import address_of, running
from tests.cli.rig import call, held

MANY = {f"6000{number:02}.SH": "0.02" for number in range(30)}


def contents(home: Home) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(home.root.rglob("*")) if path.is_file()}


def test_without_dry_run_and_beside_a_daemon_it_refuses(home: Home) -> None:
    answer = call(home, "recover")
    assert (answer.code, answer.out) == (2, "")
    assert "`qws run`" in answer.err
    with held(home):
        beside = call(home, "recover", "--dry-run", "--json")
    assert beside.code == 2
    assert isinstance(beside.json, dict)
    assert beside.json["status"] == "refused"
    assert "qws status" in str(beside.json["text"])


def test_a_new_home_has_nothing_to_recover_and_stays_empty(home: Home) -> None:
    answer = call(home, "recover", "--dry-run")

    assert (answer.code, answer.err) == (0, "")
    assert "nothing to do" in answer.out
    assert list(home.state.iterdir()) == []


def test_after_a_real_kill_every_byte_stays_and_the_next_start_does_as_foretold(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", sweep_s="0.3", absent_after_s="1.0")
    with living(home) as daemon:
        daemon.until_ready()
        drop_now(home, "w.csv", MANY)
        daemon.until(lambda: len(exchange_tags(home)) >= 10, "ten orders at the exchange")
        daemon.kill()
    before = contents(home)

    answer = call(home, "recover", "--dry-run", "--json")

    assert contents(home) == before
    assert (answer.code, answer.err) == (0, "")
    assert isinstance(answer.json, dict)
    (run,) = answer.json["runs"]
    assert (run["part"], run["verdict"], run["phase"]) == ("cut", "planned", "buying")
    assert run["text"].endswith("planned again as attempt 1")
    found = {order["tag"]: order["found"] for order in answer.json["orders"]}
    assert {tag for tag, how in found.items() if how == "found"} == set(exchange_tags(home))
    with living(home) as daemon:
        (end,) = daemon.until_runs_end()
        assert (end["run_id"], end["attempt"]) == (run["run_id"], 1)
        daemon.kill()
    absent = {body["order"]["tag"] for body in journalled(home, "OrderUpdated") if not body["order"]["order_id"]}
    assert {tag for tag, how in found.items() if how == "not_listed"} == absent


def test_an_exchange_of_its_own_is_only_read_and_one_that_is_silent_needs_a_person(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", sweep_s="0.3", absent_after_s="1.0")
    with running(home, "exchange", "--listen", "127.0.0.1:0") as exchange:
        address = address_of(home, exchange)
        refused = call(home, "recover", "--dry-run")
        assert (refused.code, "qws exchange" in refused.err) == (2, True)
        text = home.config_file.read_text(encoding="utf-8")
        text = text.replace('\nexchange = ""', f'\nexchange = "{address}"')
        home.config_file.write_text(text, encoding="utf-8")
        with living(home) as daemon:
            daemon.until_ready()
            drop_now(home, "w.csv", MANY)
            daemon.until(lambda: len(exchange_tags(home)) >= 10, "ten orders at the exchange")
            daemon.kill()
        answered = call(home, "recover", "--dry-run", "--json")
        assert isinstance(answered.json, dict)
        tags = {order["tag"] for order in answered.json["orders"] if order["found"] == "found"}
        assert tags == set(exchange_tags(home))
    silent = call(home, "recover", "--dry-run", "--json")

    assert (answered.code, silent.code) == (0, 1)
    assert isinstance(silent.json, dict)
    assert [alarm["code"] for alarm in silent.json["alarms"]] == ["broker_silent"]
    assert {order["found"] for order in silent.json["orders"]} == {"unknown"}
    assert [run["verdict"] for run in silent.json["runs"]] == ["waits_for_broker"]
