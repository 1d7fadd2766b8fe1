"""A message by mail: a server of one's own, with TLS from the start, STARTTLS, or none inside a house."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib
import anyio

from qws.domain.alerts import Notice
from qws.errors import GatewayLost, GatewayTimeout
from qws.gateways.notify.settings import ChannelSettings, masked
from qws.ports import Clock, Offload

_SHOWN = 200
_SIZE_MAX = 60_000
_WHOAMI = "[127.0.0.1]"  # who has no public name says this; names of computers may not be ASCII


class MailChannel:
    """A mailbox; the server's answer to the whole message counts."""

    def __init__(self, settings: ChannelSettings, clock: Clock, offload: Offload) -> None:
        self.name, self.per_minute, self.size_max = settings.name, settings.per_minute, _SIZE_MAX
        self._settings, self._clock, self._offload = settings, clock, offload
        self._tls = None if settings.security == "none" else ssl.create_default_context()

    async def send(self, notice: Notice) -> str:
        """Mail it; the server's answer. Raises GatewayError without any secret in it."""
        settings, hidden = self._settings, list[str]()
        try:
            with anyio.fail_after(settings.timeout_s):
                password = await self._offload(lambda: settings.resolved(settings.password))
                hidden.append(password)
                refused, answer = await aiosmtplib.send(
                    self._message(notice),
                    hostname=settings.host,
                    port=settings.port,
                    username=settings.user or None,
                    password=password or None,
                    use_tls=settings.security == "tls",
                    start_tls=settings.security == "starttls",
                    tls_context=self._tls,
                    timeout=settings.timeout_s,
                    local_hostname=_WHOAMI,
                )
        except (TimeoutError, aiosmtplib.SMTPTimeoutError) as error:
            text = f"no reply within {settings.timeout_s:g} s; it may have been taken all the same"
            raise GatewayTimeout(text) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise GatewayLost(masked(f"{type(error).__name__}: {error}", hidden)[:_SHOWN]) from None
        some = f"; refused for {', '.join(sorted(refused))}" if refused else ""  # again would be twice for the others
        return masked(f"{answer}{some}", hidden)[:_SHOWN]

    async def close(self) -> None:
        """Nothing stays open."""

    def _message(self, notice: Notice) -> EmailMessage:
        settings, message = self._settings, EmailMessage()
        message["Subject"] = " ".join(notice.title.split())
        message["From"], message["To"] = settings.sender, ", ".join(settings.to)
        message["Date"] = format_datetime(self._clock.now())
        ids = "+".join(each.alert_id for each in notice.alerts[:4])
        message["Message-ID"] = (
            f"<qws.{ids}.{self._clock.now():%Y%m%d%H%M%S}@{settings.sender.rpartition('@')[2] or 'qws'}>"
        )
        message.set_content(notice.text)
        return message
