"""`qws alerts`, `qws notify test`, and what status and check say of alerts and channels."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws import messages as m
from qws.domain.alerts import Part
from qws.home import Home
from qws.runtime.message import Envelope, Message
from qws.store.reading import Record, Views
from tests.acceptance.living import drop_bytes, living
from tests.cli.rig import as_json, call, fill
from tests.support.alerts import CRITICAL, WARNING, an_alert
from tests.support.builders import at
from tests.support.web_server import Answer, web_server

BOTH = ("group", "mail")
STORY = (
    m.AlertRaised(an_alert(1, WARNING, channels=BOTH, text="文件 w.csv 被拒收")),
    m.AlertRaised(an_alert(2, CRITICAL, text="halted")),
    m.AlertsSettled((Part(("d-1",), ("group",)),), "group", "sent", "HTTP 200", at("10:00:01")),
    m.ChannelFailed("mail", "HTTP 500", at("10:00:02")),
    m.AlertsSettled((Part(("d-1",), ("mail",)),), "", "failed", "told elsewhere", at("10:00:03")),
    m.AlertsSettled((Part(("d-2",), ("group",)),), "mail", "sent", "250", at("10:00:04")),
)


def envelopes(*messages: Message) -> list[Envelope]:
    return [Envelope(number, number, None, at("10:00:00"), "alerter", each) for number, each in enumerate(messages, 1)]


def with_channels(home: Home, text: str) -> None:
    old = home.config_file.read_text(encoding="utf-8")
    home.config_file.write_text(f"{old}\n{text}", encoding="utf-8")


def alerts(home: Home) -> list[Record]:
    return Views(home.views).alerts(everything=True)


def group(url: str) -> str:
    return f'[notify.channels.group]\nkind = "wecom"\nurl = "{url}"\n'


def test_without_alerts_there_is_nothing_to_see(home: Home) -> None:
    assert call(home, "alerts").out.startswith("no alert waits")
    assert as_json(home, "alerts") == []
    assert "acknowledged" not in call(home, "status").out


def test_alerts_show_their_id_time_severity_who_took_them_and_what_they_say(home: Home) -> None:
    fill(home, envelopes(*STORY))

    lines = call(home, "alerts").out.splitlines()
    first, second = as_json(home, "alerts")  # type: ignore[misc]

    assert lines[0].split() == ["alert_id", "at", "severity", "told", "text"]
    assert lines[1].split() == [
        "d-1",
        "2026-11-19",
        "10:00:00",
        "warning",
        "group,",
        "mail:",
        "failed",
        *["文件", "w.csv", "被拒收"],
    ]
    assert "group by mail" in lines[2]
    assert [part["outcome"] for part in first["told"]] == ["sent", "failed"]
    assert (second["severity"], second["acknowledged_at"]) == ("critical", None)
    assert "1 critical, 1 warning" in call(home, "status").out
    assert as_json(home, "status")["alerts"] == {"critical": 1, "warning": 1}  # type: ignore[index,call-overload]


def test_what_was_acknowledged_is_shown_only_on_demand(home: Home) -> None:
    fill(home, envelopes(*STORY, m.AlertAcknowledged(("d-1",), "me@here"), m.AlertAcknowledged(("d-1",), "other@here")))

    assert [row["alert_id"] for row in as_json(home, "alerts")] == ["d-2"]  # type: ignore[attr-defined]
    (seen, _) = as_json(home, "alerts", "--all")  # type: ignore[misc]
    assert (seen["alert_id"], seen["acknowledged_by"]) == ("d-1", "me@here")
    assert "me@here" in call(home, "alerts", "--all").out


def test_an_acknowledgement_waits_for_the_daemon_and_a_wrong_id_is_refused(home: Home) -> None:
    fill(home, envelopes(*STORY, m.AlertAcknowledged(("d-1",), "me@here")))

    wrong = call(home, "alerts", "ack", "d-1", "d-9")
    again = call(home, "alerts", "ack", "d-1")
    usage = [call(home, "alerts", "ack").code, call(home, "alerts", "ack", "d-1", "--all").code]
    stored = call(home, "alerts", "ack", "--all")

    assert (wrong.code, "no alert d-9" in wrong.err) == (1, True)
    assert (again.code, again.out) == (0, "ack: acknowledged before\n")
    assert usage == [2, 2]
    assert (stored.code, "next start" in stored.out) == (0, True)
    assert [(each["command"], each["argument"]) for each in Views(home.views).waiting()] == [("ack", "d-2")]


def test_a_test_message_shows_the_reply_of_each_channel_and_fails_when_one_fails(home: Home) -> None:
    refusal = Answer(b'{"errcode":93000,"errmsg":"invalid webhook url"}')
    with web_server(Answer(), refusal) as server:
        with_channels(home, group(server.url("/send?key=secret-key")) + group(server.url()).replace("group", "other"))
        answer = call(home, "notify", "test")
        other = call(home, "notify", "test", "other", "--json")

    assert answer.code == 1
    assert answer.out.splitlines() == [
        'group: taken: HTTP 200 {"errcode":0,"errmsg":"ok"}',
        "other: NOT TAKEN: error code 93000: invalid webhook url",
    ]
    assert other.json == [{"channel": "other", "ok": False, "text": "error code 93000: invalid webhook url"}]
    assert "a test: this channel works" in server.seen[0].document["text"]["content"]
    assert "secret-key" not in answer.out + answer.err


def test_without_that_channel_or_any_nothing_is_tested(home: Home) -> None:
    assert call(home, "notify", "test").code == 1
    wrong = call(home, "notify", "test", "group")
    assert (wrong.code, "no channel group" in wrong.err) == (2, True)


def test_check_says_which_secret_is_missing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with_channels(home, group("env:QWS_TEST_URL"))
    missing = call(home, "check")
    monkeypatch.setenv("QWS_TEST_URL", "http://127.0.0.1/")
    there = call(home, "check")

    assert "WARN  notify.group" in missing.out
    assert "QWS_TEST_URL is not set" in missing.out
    assert "`qws notify test` sends by it" in there.out
    assert (missing.code, there.code) == (0, 0)


def test_a_daemon_tells_real_people_and_after_a_kill_while_nobody_answered_the_next_one_does(home: Home) -> None:
    hangs_up = Answer(status=None)
    with web_server(hangs_up) as server:
        with_channels(home, group(server.url("/send?key=693a91f6-secret")) + "mention_all = true\n")
        with living(home) as daemon:
            daemon.until_ready()
            drop_bytes(home, "bad.csv", b"nothing")
            daemon.until(lambda: "file_rejected" in {row["kind"] for row in alerts(home)}, "the alert was raised")
            daemon.until(lambda: server.seen, "it was tried")
            daemon.kill()
        assert all(row["told"] == [] for row in alerts(home))
        server.answers = [Answer()]
        tried = len(server.seen)
        with living(home) as daemon:
            daemon.until(lambda: all(row["told"] for row in alerts(home)), "all were told")
            ids = [str(row["alert_id"]) for row in alerts(home)]
            assert call(home, "alerts", "ack", ids[0]).code == 0
            daemon.until(lambda: alerts(home)[0]["acknowledged_by"], "it was acknowledged")
            assert daemon.stop()[0] == 0
        texts = "\n".join(seen.document["text"]["content"] for seen in server.seen[tried:])
    logs = "".join(path.read_text(encoding="utf-8") for path in Path(home.logs).iterdir())

    assert all(f"#{each} " in texts for each in ids)
    assert "bad.csv" in texts
    assert "started again after it was cut off" in texts
    assert "took no message" in logs
    assert "693a91f6" not in logs
