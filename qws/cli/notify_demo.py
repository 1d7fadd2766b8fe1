"""`qws notify demo`: every kind of channel sends to a service on this computer, which takes it, and then refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import anyio
import click

from qws.alert_text import notice_of, raised
from qws.channels import opened_channel
from qws.cli.options import echo, json_option, print_json
from qws.daemon import in_thread
from qws.domain.alerts import Alert, Draft, NotifyRules, Quiet, Severity
from qws.domain.outbox import Outbox
from qws.errors import GatewayError
from qws.gateways.notify.loopback import Loopback, loopback
from qws.gateways.notify.settings import ChannelSettings
from qws.log import silent
from qws.ports import Channel
from qws.runtime.clock import SystemClock
from qws.sentences import localised

KINDS = ("wecom", "dingtalk", "feishu", "webhook", "smtp")
_SPARE, _TRIES = "spare", 2
_NO = '{"errcode": 93000, "code": 19001, "errmsg": "not today"}'
_NO_MAIL = "451 not today"
_STEPS_MAX = 20
Step = dict[str, object]


@click.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@json_option
@click.pass_context
def demo(ctx: click.Context, kind: str | None, *, as_json: bool) -> None:
    """Send two alerts by KIND, or by every kind, to servers of this process; exit 1 when one did not arrive.

    The first is taken. The second is refused (HTTP 200 with an error code; 451 by mail), tried again, and then told by
    another channel. Needs no home; nothing leaves this computer.
    """
    told = [anyio.run(_demonstrated, each) for each in ([kind] if kind else KINDS)]
    if as_json:
        print_json(told)
    for each in () if as_json else told:
        echo(f"{'ok' if each['ok'] else 'FAILED'}  {each['kind']}")
        for line in _lines(each["steps"]):
            echo(f"      {line}")
    ctx.exit(0 if all(each["ok"] for each in told) else 1)


def _lines(steps: object) -> list[str]:
    assert isinstance(steps, list)
    told = ("{at} {by}: {outcome}: {reply}", "  <- {text}")
    return [line.format(**each) for each in steps for line in told]


async def _demonstrated(kind: str) -> dict[str, object]:
    clock = SystemClock()
    with silent():
        async with loopback() as there:
            settings = [_settings(kind, kind, there), _settings(_SPARE, "webhook", there)]
            channels = {each.name: opened_channel(each, clock, in_thread) for each in settings}
            try:
                steps, arrived = await _told(kind, channels, there, clock.now())
            finally:
                for channel in channels.values():
                    await channel.close()
    return {"kind": kind, "ok": arrived, "steps": steps}


async def _told(kind: str, channels: Mapping[str, Channel], there: Loopback, now: datetime) -> tuple[list[Step], bool]:
    """What each channel did with the two alerts; whether both arrived where they should. Pauses are not waited for."""
    routes = dict.fromkeys(Severity, (kind,))
    quiet = Quiet(now.time(), now.time(), Severity.NOTE)
    outbox = Outbox(channels.values(), NotifyRules(routes, _SPARE, 0.0, quiet, _TRIES, 10, 60.0))
    steps = list[Step]()
    for number, is_refused in ((1, False), (2, True)):
        where = "mail" if kind == "smtp" else kind
        there.refused = {where: _NO_MAIL if kind == "smtp" else _NO} if is_refused else {}
        outbox.add(_alert(number, now, kind))
        for _ in range(_STEPS_MAX):
            if not len(outbox):
                break
            for parcel in outbox.take(now):
                channel, before = channels[parcel.channel], len(there.received)
                notice = notice_of(parcel, channel.size_max, "demo", now)
                try:
                    reply, outcome = await channel.send(notice), "taken"
                    outbox.settle(parcel.settles, channel.name, now)
                except GatewayError as error:
                    reply, outcome = str(error), "refused"
                    outbox.fail(channel.name, reply, now)
                came = [_text_of(text) for _, text in there.received[before:]]
                steps.append({"at": f"{now:%H:%M:%S}", "by": channel.name, "outcome": outcome, "reply": reply,
                              "alert": number, "text": " / ".join(came)})  # fmt: skip
            now = outbox.next_at(now) or now
    return steps, _is_right(kind, steps)


def _is_right(kind: str, steps: Sequence[Step]) -> bool:
    """The first was taken at once, the second after its tries by the other channel; each came as it was sent."""
    wanted = [(1, kind, "taken"), *([(2, kind, "refused")] * _TRIES), (2, _SPARE, "taken")]
    found = [(each["alert"], each["by"], each["outcome"]) for each in steps]
    return found == wanted and all(f"demo-{each['alert']}" in str(each["text"]) for each in steps)


def _alert(number: int, now: datetime, kind: str) -> Alert:
    text = localised(f"a demonstration: orders were rejected ({kind})")
    return raised(Draft("demo", Severity.CRITICAL, f"demo:{number}", text), f"demo-{number}", now, (kind,))


def _settings(name: str, kind: str, there: Loopback) -> ChannelSettings:
    is_mail, is_signed = kind == "smtp", kind in ("dingtalk", "feishu")
    return ChannelSettings(
        name, kind, 20, 5.0, Path(), there.url(name), "demo-secret" if is_signed else "", mention_all=not is_mail,
        host="127.0.0.1" if is_mail else "", port=there.mail_port, security="none",
        sender="qws@example.com" if is_mail else "", to=("you@example.com",) if is_mail else (),
    )  # fmt: skip


def _text_of(received: str) -> str:
    """What a person would read of it, on one line."""
    try:
        document = json.loads(received)
    except ValueError:
        return " | ".join(received.split("\n"))
    found = document.get("text") or document.get("content")
    text = found.get("content") or found.get("text") if isinstance(found, dict) else found
    return " | ".join(str(text).split("\n"))
