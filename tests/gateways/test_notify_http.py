"""Robots and webhooks against a real web server on this computer: what it is sent, and which replies are a yes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import socket
from dataclasses import replace
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest

from qws.domain.alerts import Notice, Severity
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.notify.http import HttpChannel
from qws.gateways.notify.settings import ChannelSettings, masked
from qws.virtual import inline
from tests.support.alerts import CRITICAL, WARNING, an_alert
from tests.support.builders import HandClock, at
from tests.support.web_server import Answer, web_server

KEY = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa"
NOON = at("12:00:00")
ROBOTS = {"wecom": b'{"errcode":0,"errmsg":"ok"}', "dingtalk": b'{"errcode":0,"errmsg":"ok"}'}
ROBOTS |= {"feishu": b'{"code":0,"msg":"success","data":{}}'}


def a_notice(severity: Severity = WARNING) -> Notice:
    return Notice("[qws] title", "[qws] 标题\n第二行 “quoted”", severity, (an_alert(1, severity),))


def settings(kind: str, url: str, **changes: object) -> ChannelSettings:
    return replace(ChannelSettings("group", kind, 20, 2.0, Path(), url), **changes)  # type: ignore[arg-type]


def send(given: ChannelSettings, notice: Notice | None = None) -> str:
    async def main() -> str:
        channel = HttpChannel(given, HandClock(NOON), inline)  # type: ignore[arg-type]
        try:
            return await channel.send(notice or a_notice())
        finally:
            await channel.close()

    return anyio.run(main)


def test_wecom_is_sent_a_text_and_calls_everybody_only_when_it_is_critical() -> None:
    with web_server() as server:
        given = settings("wecom", server.url(f"/cgi-bin/webhook/send?key={KEY}"), mention_all=True)
        assert send(given) == 'HTTP 200 {"errcode":0,"errmsg":"ok"}'
        send(given, a_notice(CRITICAL))

    first, second = server.seen
    assert first.path == f"/cgi-bin/webhook/send?key={KEY}"
    assert first.headers["Content-Type"] == "application/json"
    assert first.document == {"msgtype": "text", "text": {"content": a_notice().text}}
    assert second.document["text"]["mentioned_list"] == ["@all"]


def test_dingtalk_signs_with_milliseconds_and_the_signature_is_what_its_documents_say() -> None:
    with web_server() as server:
        send(settings("dingtalk", server.url("/robot/send?access_token=abc"), secret="SECdef+/="))

    (seen,) = server.seen
    query = parse_qs(urlsplit(seen.path).query)
    stamp = str(int(NOON.timestamp()) * 1000)
    digest = hmac.new(b"SECdef+/=", f"{stamp}\nSECdef+/=".encode(), hashlib.sha256).digest()
    assert query["access_token"] == ["abc"]
    assert query["timestamp"] == [stamp]
    assert query["sign"] == [base64.b64encode(digest).decode()]
    assert seen.document == {"msgtype": "text", "text": {"content": a_notice().text}, "at": {"isAtAll": False}}


def test_feishu_signs_with_seconds_in_the_body_with_the_text_as_the_key() -> None:
    with web_server(Answer(ROBOTS["feishu"])) as server:
        given = settings("feishu", server.url("/open-apis/bot/v2/hook/x"), secret="abc", mention_all=True)
        send(given, a_notice(CRITICAL))
        send(replace(given, secret="", mention_all=False))

    signed, plain = server.seen
    stamp = str(int(NOON.timestamp()))
    digest = hmac.new(f"{stamp}\nabc".encode(), b"", hashlib.sha256).digest()
    assert signed.document["timestamp"] == stamp
    assert signed.document["sign"] == base64.b64encode(digest).decode()
    assert signed.document["content"]["text"].endswith('<at user_id="all"></at>')
    assert plain.document == {"msg_type": "text", "content": {"text": a_notice().text}}


def test_a_webhook_is_sent_every_alert_as_fields_and_a_bearer() -> None:
    with web_server(Answer(b"thanks")) as server:
        assert send(settings("webhook", server.url("/hook"), secret="token-1")) == "HTTP 200 thanks"

    (seen,) = server.seen
    assert seen.headers["Authorization"] == "Bearer token-1"
    (alert,) = seen.document["alerts"]
    assert (alert["id"], alert["severity"], alert["text"]) == ("d-1", "warning", "text 1")
    assert (seen.document["title"], seen.document["severity"]) == ("[qws] title", "warning")


BAD = [
    ("wecom", b'{"errcode":93000,"errmsg":"invalid webhook url"}', "93000: invalid webhook url"),
    ("wecom", b'{"errcode":45009,"errmsg":"api freq out of limit"}', "45009"),
    ("wecom", b'{"errcode":false}', "False"),
    ("wecom", b'{"errcode":null}', "None"),
    ("wecom", b"{}", "None"),
    ("wecom", b"<html>log in to the network</html>", "not of this service"),
    ("wecom", b"", "not of this service"),
    ("wecom", b'[{"errcode":0}]', "not of this service"),
    ("wecom", b"\xff\xfe", "not of this service"),
    ("wecom", b"[" * 20_000, "not of this service"),
    ("dingtalk", b'{"errcode":310000,"errmsg":"keywords not in content"}', "keywords not in content"),
    ("dingtalk", b'{"errcode":130101,"errmsg":"send too fast"}', "130101"),
    ("feishu", b'{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}', "19001"),
    ("feishu", b'{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}', "19021"),
    ("feishu", b'{"errcode":0}', "None"),
    ("webhook", b'{"code":500,"message":"no such user"}', "no such user"),
    ("webhook", b'{"errcode":1}', "error code 1"),
    ("webhook", b'{"ok":false,"error":"invalid_auth"}', "invalid_auth"),
]


@pytest.mark.parametrize(("kind", "body", "told"), BAD)
def test_a_reply_of_http_200_that_does_not_say_yes_is_a_failure(kind: str, body: bytes, told: str) -> None:
    with web_server(Answer(body)) as server, pytest.raises(GatewayError) as found:
        send(settings(kind, server.url()))

    assert told in str(found.value)


GOOD = [
    *ROBOTS.items(),
    ("feishu", b'{"StatusCode":0,"StatusMessage":"success"}'),
    ("wecom", b'{"errcode":"0"}'),
    ("webhook", b'{"code":200,"message":"success"}'),
    ("webhook", b'{"code":0}'),
    ("webhook", b""),
    ("webhook", b"ok"),
    ("webhook", b'{"ok":true}'),
]


@pytest.mark.parametrize(("kind", "body"), GOOD)
def test_a_reply_that_says_yes_is_a_success(kind: str, body: bytes) -> None:
    with web_server(Answer(body)) as server:
        assert send(settings(kind, server.url())).startswith("HTTP 200")


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_any_other_status_is_a_failure_whatever_the_body_says(status: int) -> None:
    with web_server(Answer(status=status)) as server, pytest.raises(GatewayError, match=f"HTTP {status}"):
        send(settings("wecom", server.url()))


@pytest.mark.parametrize("answer", [Answer(late_s=5.0), Answer(body=b"x" * 100, drips=True)])
def test_a_server_that_is_slow_as_a_whole_is_left_at_the_deadline(answer: Answer) -> None:
    with web_server(answer) as server:
        began = monotonic()
        with pytest.raises(GatewayTimeout, match="no reply within"):
            send(replace(settings("wecom", server.url()), timeout_s=0.4))

    assert monotonic() - began < 2


def test_a_reply_without_end_is_read_no_further_than_needed() -> None:
    with web_server(Answer(b"x" * 5_000_000)) as server, pytest.raises(GatewayError) as found:
        send(settings("wecom", server.url()))

    assert len(str(found.value)) < 300


def test_who_hangs_up_or_is_not_there_is_a_failure() -> None:
    with web_server(Answer(status=None)) as server, pytest.raises(GatewayLost):
        send(settings("wecom", server.url()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(GatewayLost, match="ConnectError"):
        send(settings("wecom", f"http://127.0.0.1:{port}/send?key={KEY}"))


@pytest.mark.parametrize("url", ["", "no address", "ftp://x/y", "http://", "http://[::1", "http://a b/"])
def test_an_address_that_is_none_is_a_failure_and_not_a_crash(url: str) -> None:
    with pytest.raises(GatewayError):
        send(settings("wecom", url))


def test_secrets_come_from_the_environment_or_a_file_and_are_read_for_every_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server() as server:
        given = replace(settings("wecom", "env:QWS_TEST_URL"), root=tmp_path)
        with pytest.raises(GatewayLost, match="QWS_TEST_URL is not set"):
            send(given)
        monkeypatch.setenv("QWS_TEST_URL", server.url("/a"))
        send(given)
        with pytest.raises(GatewayLost, match=r"url\.txt cannot be read or is empty"):
            send(replace(given, url="file:url.txt"))
        (tmp_path / "url.txt").write_text(f"\ufeff{server.url('/b')}\r\nsecond line\n", encoding="utf-8")
        send(replace(given, url="file:url.txt"))

    assert [seen.path for seen in server.seen] == ["/a", "/b"]


def test_no_secret_is_in_an_error_a_reply_a_log_or_the_settings_as_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path, secret = f"/cgi-bin/webhook/send?key={KEY}", "SEC-very-secret"
    echo = f'{{"errcode":40001,"errmsg":"no {path} for {KEY} and {secret}"}}'.encode()
    with web_server(Answer(echo), Answer(echo, status=404), Answer(b"no json " + KEY.encode())) as server:
        given = settings("dingtalk", server.url(path), secret=secret)
        texts = [repr(given)]
        for _ in range(3):
            with pytest.raises(GatewayError) as found:
                send(given)
            texts.append(str(found.value))
    with pytest.raises(GatewayError) as found:
        send(replace(given, url=f"ftp://host/{KEY}"))
    texts += [str(found.value), repr(found.value.__cause__), caplog.text]

    assert [text for text in texts if KEY in text or secret in text] == []
    assert "40001" in texts[1]


def test_the_parts_of_an_address_are_masked_as_the_whole() -> None:
    url = "https://open.feishu.cn/open-apis/bot/v2/hook/1234-5678"

    assert masked(f"no {url}", [url]) == "no ***"
    assert masked("hook/1234-5678 is unknown", [url]) == "hook/*** is unknown"
    assert masked("user:pass-word@host", ["http://user:pass-word@host:1"]) == "user:***@host"
