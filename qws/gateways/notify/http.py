"""A message over HTTP: one request, one deadline, a reply that is read and believed only when it says yes."""

from __future__ import annotations

import json
import logging

import anyio
import httpx

from qws.domain.alerts import Notice
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.notify.robots import DIALECTS, Call, Request, pings
from qws.gateways.notify.settings import ChannelSettings, masked
from qws.ports import Clock, Offload

_REPLY_MAX = 16_384
_SHOWN = 200
_OK = range(200, 300)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses, which are hidden here
logging.getLogger("httpcore").setLevel(logging.WARNING)


class HttpChannel:
    """A robot or a webhook. Made once, because that is slow; every message has a connection of its own."""

    def __init__(self, settings: ChannelSettings, clock: Clock, offload: Offload) -> None:
        self.name, self.per_minute = settings.name, settings.per_minute
        self._settings, self._clock, self._offload = settings, clock, offload
        self._dialect = DIALECTS[settings.kind]
        self.size_max = self._dialect.size_max
        try:
            self._client = httpx.AsyncClient(
                proxy=settings.resolved(settings.proxy) or None,
                timeout=settings.timeout_s,
                trust_env=False,  # a proxy is named in the configuration, or none is used
                limits=httpx.Limits(max_keepalive_connections=0),
                headers={"User-Agent": "qws", "Accept-Encoding": "identity"},
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise GatewayLost(f"notify.proxy cannot be used: {type(error).__name__}") from None

    async def send(self, notice: Notice) -> str:
        """Post it; the reply. Raises GatewayError without any secret in it."""
        settings, hidden = self._settings, []
        try:
            with anyio.fail_after(settings.timeout_s):
                url, secret = await self._offload(self._secrets)
                hidden += [url, secret, settings.resolved(settings.proxy)]
                at = self._clock.now()
                call = Call(notice, url, secret, at, pings(notice, is_wanted=settings.mention_all))
                status, text = await self._post(self._dialect.request(call))
        except (TimeoutError, httpx.TimeoutException) as error:
            text = f"no reply within {settings.timeout_s:g} s; it may have been taken all the same"
            raise GatewayTimeout(text) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as error:
            shown = masked(f"{type(error).__name__}: {error}", hidden)
            raise GatewayLost(shown[:_SHOWN]) from None  # what it is caused by tells the address
        reply = masked(" ".join(text.split()), hidden)[:_SHOWN]
        if status not in _OK:
            raise GatewayError(f"HTTP {status}: {reply}")
        if problem := self._dialect.problem(_document(text)):
            raise GatewayError(masked(problem, hidden)[:_SHOWN] if "{" in text else f"{problem}: {reply}"[:_SHOWN])
        return f"HTTP {status} {reply}".strip()

    async def close(self) -> None:
        """Let go of what is open."""
        await self._client.aclose()

    def _secrets(self) -> tuple[str, str]:
        settings = self._settings
        return settings.resolved(settings.url), settings.resolved(settings.secret) if settings.secret else ""

    async def _post(self, request: Request) -> tuple[int, str]:
        content = b""
        headers = {"Authorization": f"Bearer {request.bearer}"} if request.bearer else {}
        post = self._client.stream("POST", request.url, json=request.document, headers=headers)
        async with post as response:
            async for part in response.aiter_raw():
                content += part
                if len(content) > _REPLY_MAX:
                    break
        return response.status_code, content[:_REPLY_MAX].decode("utf-8", "replace")


def _document(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
