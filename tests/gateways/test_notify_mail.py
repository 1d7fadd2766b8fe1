"""Mail against a real SMTP server on this computer: with a password, with TLS, refused, slow, and not there."""

from __future__ import annotations

import email
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from threading import Event
from time import monotonic

import anyio
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from qws.domain.alerts import Notice, Severity
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.notify.mail import MailChannel
from qws.gateways.notify.settings import ChannelSettings
from qws.virtual import inline
from tests.support.alerts import an_alert
from tests.support.builders import HandClock, at

PASSWORD = "pass-word-密码"


@dataclass
class Postbox:
    """What the server took, and what it says to a message and to a recipient."""

    port: int = 0
    took: list[EmailMessage] = field(default_factory=list)
    says: str = "250 taken as 42"
    refuses: str = ""
    over: Event = field(default_factory=Event)
    late_s: float = 0.0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses and self.refuses in address:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await anyio.to_thread.run_sync(self.over.wait, self.late_s)
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        if self.says.startswith("250"):
            self.took.append(message)
        return self.says


def knows(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    assert isinstance(given, LoginPassword)
    is_right = (given.login, given.password) == (b"me@example.com", PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@contextmanager
def smtp_server(box: Postbox | None = None, **options: object) -> Iterator[Postbox]:
    """A server for the length of the block."""
    box = box or Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port, **options)  # type: ignore[arg-type]
    controller.start()
    try:
        yield box
    finally:
        box.over.set()
        controller.stop()


def settings(port: int, **changes: object) -> ChannelSettings:
    plain = ChannelSettings(
        "mail", "smtp", 20, 3.0, Path(), host="127.0.0.1", port=port, security="none",
        sender="qws@example.com", to=("a@example.com", "b@example.com"),
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def send(given: ChannelSettings, title: str = "[qws] 警告: 文件被拒收") -> str:
    notice = Notice(title, "[qws] 警告\n文件 w.csv 被拒收", Severity.WARNING, (an_alert(1),))

    async def main() -> str:
        try:
            return await MailChannel(given, HandClock(at("12:00:00")), inline).send(notice)  # type: ignore[arg-type]
        finally:
            await anyio.sleep(0.05)  # a connection that was given up is closed by the loop, as in the daemon

    return anyio.run(main)


def test_a_mail_arrives_as_it_was_meant_in_chinese_too() -> None:
    with smtp_server() as box:
        assert send(settings(box.port)) == "taken as 42"

    (mail,) = box.took
    assert mail["Subject"] == "[qws] 警告: 文件被拒收"
    assert (mail["From"], mail["To"]) == ("qws@example.com", "a@example.com, b@example.com")
    assert mail["Date"].datetime == at("12:00:00")
    assert mail["Message-ID"].startswith("<qws.d-1.")
    assert mail.get_content().splitlines() == ["[qws] 警告", "文件 w.csv 被拒收"]


def test_a_title_of_several_lines_makes_no_further_header() -> None:
    with smtp_server() as box:
        send(settings(box.port), "one\r\nBcc: other@example.com\nthree")

    assert box.took[0]["Subject"] == "one Bcc: other@example.com three"
    assert box.took[0]["Bcc"] is None


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_is_given_and_a_wrong_one_is_a_failure_that_does_not_tell_it(tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text(PASSWORD + "\n", encoding="utf-8")
    auth = {"auth_required": True, "auth_require_tls": False, "authenticator": knows}
    with smtp_server(None, **auth) as box:
        given = settings(box.port, user="me@example.com", password="file:password.txt", root=tmp_path)
        send(given)
        with pytest.raises(GatewayLost, match="535") as found:
            send(replace(given, password="pass-word-wrong"))
        with pytest.raises(GatewayLost, match="NO_SUCH is not set"):
            send(replace(given, password="env:NO_SUCH"))

    assert len(box.took) == 1
    assert "pass-word-wrong" not in str(found.value) + repr(given)


@pytest.mark.parametrize("says", ["451 try again later", "554 this is spam"])
def test_a_message_that_the_server_does_not_take_is_a_failure(says: str) -> None:
    with smtp_server(Postbox(says=says)) as box, pytest.raises(GatewayError, match=says[:3]):
        send(settings(box.port))


def test_one_recipient_that_is_refused_is_told_and_all_of_them_are_a_failure() -> None:
    with smtp_server(Postbox(refuses="b@")) as box:
        assert send(settings(box.port)).endswith("refused for b@example.com")
        with pytest.raises(GatewayLost, match="no such user"):
            send(settings(box.port, to=("b@example.com",)))


def test_a_server_that_is_slow_as_a_whole_is_left_at_the_deadline() -> None:
    with smtp_server(Postbox(late_s=5.0)) as box:
        began = monotonic()
        with pytest.raises(GatewayTimeout, match="no reply within"):
            send(settings(box.port, timeout_s=0.4))
        assert monotonic() - began < 2


def test_who_is_not_there_or_speaks_no_tls_is_a_failure() -> None:
    with smtp_server() as box:
        with pytest.raises(GatewayLost):
            send(settings(box.port, security="starttls"))
        with pytest.raises(GatewayError):
            send(settings(box.port, security="tls", timeout_s=1.0))
    with pytest.raises(GatewayLost):
        send(settings(box.port))
    assert box.took == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_with_tls_only_a_server_whose_certificate_is_trusted_is_told(
    security: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pem, names = tmp_path / "cert.pem", ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(tmp_path / "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-days", "2", *names, *key, "-out", str(pem)], check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, tmp_path / "key.pem")
    option = {"ssl_context": context} if security == "tls" else {"tls_context": context, "require_starttls": True}
    with smtp_server(None, **option) as box:
        with pytest.raises(GatewayLost, match=r"(?i)certificate"):
            send(settings(box.port, security=security))
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        send(settings(box.port, security=security))

    assert len(box.took) == 1
