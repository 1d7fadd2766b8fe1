"""How the services want to be spoken to, and how they say no: a reply of HTTP 200 with an error code is a failure."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from urllib.parse import quote_plus

from qws.domain.alerts import Notice, Severity

_KILO = 1000
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """What is posted: an address, a JSON document, and who we are ("" for nobody)."""

    url: str
    document: Document
    bearer: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What a request is made of; `secret` is "" where nothing is signed, `pings` says to call everybody by name."""

    notice: Notice
    url: str
    secret: str
    at: datetime
    pings: bool


@dataclass(frozen=True, slots=True)
class Dialect:
    """One service: how long a message may be in bytes, its request, and what in a reply is wrong ("" for nothing)."""

    size_max: int
    request: Callable[[Call], Request]
    problem: Callable[[object], str]


def signature(key: str, text: str) -> str:
    """HMAC-SHA256 in Base64."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode("ascii")


def _wecom(call: Call) -> Request:
    text: dict[str, object] = {"content": call.notice.text}
    if call.pings:
        text["mentioned_list"] = ["@all"]
    return Request(call.url, {"msgtype": "text", "text": text})


def _dingtalk(call: Call) -> Request:
    url = call.url
    if call.secret:
        stamp = str(round(call.at.timestamp() * _KILO))
        sign = quote_plus(signature(call.secret, f"{stamp}\n{call.secret}"))
        url += f"{'&' if '?' in url else '?'}timestamp={stamp}&sign={sign}"
    document = {"msgtype": "text", "text": {"content": call.notice.text}, "at": {"isAtAll": call.pings}}
    return Request(url, document)


def _feishu(call: Call) -> Request:
    mention = '\n<at user_id="all"></at>' if call.pings else ""
    document: dict[str, object] = {"msg_type": "text", "content": {"text": call.notice.text + mention}}
    if call.secret:
        stamp = str(round(call.at.timestamp()))
        document |= {"timestamp": stamp, "sign": signature(f"{stamp}\n{call.secret}", "")}
    return Request(call.url, document)


def _webhook(call: Call) -> Request:
    notice = call.notice
    alerts = [
        {
            "id": each.alert_id,
            "at": each.at.isoformat(),
            "severity": each.severity,
            "kind": each.kind,
            "text": each.text,
        }
        for each in notice.alerts
    ]
    document = {"title": notice.title, "text": notice.text, "severity": notice.severity, "alerts": alerts}
    return Request(call.url, document, call.secret)


def _coded(*names: str) -> Callable[[object], str]:
    """A reply must be a JSON object, and the code in it zero: a portal's login page is no success."""

    def problem(reply: object) -> str:
        if not isinstance(reply, dict):
            return "the reply is not of this service"
        code = next((reply[name] for name in names if name in reply), None)
        return "" if _is_zero(code) else f"error code {code}: {_reason(reply)}"

    return problem


def _open_ended(reply: object) -> str:
    """Any service may answer anything; the usual ways to say no are believed."""
    if not isinstance(reply, dict):
        return ""
    for name in ("errcode", "code", "StatusCode"):
        code = reply.get(name)
        if code is not None and not _is_zero(code) and str(code) != "200":
            return f"error code {code}: {_reason(reply)}"
    return _reason(reply) if any(reply.get(name) is False for name in ("ok", "success")) else ""


def _is_zero(code: object) -> bool:
    return (isinstance(code, int) and not isinstance(code, bool) and code == 0) or code == "0"


def _reason(reply: Mapping[str, object]) -> str:
    names = ("errmsg", "msg", "StatusMessage", "message", "error")
    return str(next((reply[name] for name in names if reply.get(name)), "no reason given"))


def pings(notice: Notice, *, is_wanted: bool) -> bool:
    """Only what is critical calls everybody."""
    return is_wanted and notice.severity is Severity.CRITICAL


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "wecom": Dialect(2048, _wecom, _coded("errcode")),
        "dingtalk": Dialect(15_000, _dingtalk, _coded("errcode")),
        "feishu": Dialect(15_000, _feishu, _coded("code", "StatusCode")),
        "webhook": Dialect(30_000, _webhook, _open_ended),
    }
)
