"""`qws notify test`: a message by each channel, and what the service replied."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import click

from qws.alert_text import trial_notice
from qws.arming import account_label
from qws.channels import channel_settings, open_channels
from qws.cli.notify_demo import demo
from qws.cli.options import echo, home_option, json_option, print_json
from qws.config import Config, load_config
from qws.daemon import in_thread
from qws.errors import GatewayError
from qws.gateways.notify.settings import ChannelSettings
from qws.home import Home
from qws.language import speak
from qws.log import silent
from qws.runtime.clock import SystemClock

Reply = dict[str, object]


@click.group()
def notify() -> None:
    """The channels of [notify]."""


@notify.command()
@click.argument("name", metavar="[CHANNEL]", required=False)
@home_option
@json_option
@click.pass_context
def test(ctx: click.Context, name: str | None, home: Home, *, as_json: bool) -> None:
    """Send a test message by CHANNEL, or by each, and show the reply; exit 1 when one was not taken."""
    config = load_config(home.config_file)
    speak(config.language)
    known = list(config.notify.channels)
    if name is not None and name not in known:
        raise click.UsageError(f"no channel {name}; [notify.channels] has: {', '.join(known) or 'none'}")
    replies = anyio.run(_try_all, home, config, [name] if name else known)
    if as_json:
        print_json(replies)
    elif not replies:
        echo(f"no channel is configured: add one under [notify.channels.NAME] in {home.config_file}", err=True)
    for each in () if as_json else replies:
        told = "{channel}: taken: {text}" if each["ok"] else "{channel}: NOT TAKEN: {text}"
        echo(told.format(**each))
    ctx.exit(0 if replies and all(each["ok"] for each in replies) else 1)


notify.add_command(demo)


async def _try_all(home: Home, config: Config, names: list[str]) -> list[Reply]:
    clock, label, replies = SystemClock(), config.notify.label or account_label(config), []
    with silent():
        async with open_channels(home, config, clock, in_thread) as channels:
            opened = {each.name: each for each in channels}
            for name in names:
                try:
                    if name not in opened:
                        raise GatewayError("it cannot be opened; `qws check` says why")
                    channel = opened[name]
                    text, ok = await channel.send(trial_notice(label, channel.size_max, clock.now())), True
                except GatewayError as error:
                    text, ok = str(error), False
                replies.append({"channel": name, "ok": ok, "text": text})
    return replies


def missing_secrets(home: Home, config: Config) -> Iterator[tuple[str, str]]:
    """Channels whose secrets are not there, and what is missing."""
    for settings in channel_settings(home, config):
        try:
            _resolve(settings)
        except GatewayError as error:
            yield settings.name, str(error)


def _resolve(settings: ChannelSettings) -> None:
    for reference in (settings.url, settings.secret, settings.password, settings.proxy):
        settings.resolved(reference)
