"""Channels made of the configuration. What cannot be opened is told and left out: nothing of it may stop trading."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from loguru import logger

from qws.config import Config
from qws.domain.alerts import NotifyRules, Quiet, Severity
from qws.errors import GatewayError
from qws.gateways.notify.settings import ChannelSettings
from qws.home import Home
from qws.ports import Channel, Clock, Offload

if TYPE_CHECKING:
    from qws.gateways.notify.http import HttpChannel
    from qws.gateways.notify.mail import MailChannel


def notify_rules(config: Config) -> NotifyRules:
    """Who is told what, and when."""
    section = config.notify
    return NotifyRules(
        {severity: section.channels_of(severity) for severity in Severity},
        section.fallback,
        section.fold_s,
        Quiet(section.quiet_from, section.quiet_to, section.quiet_passes),
        section.tries,
        section.pending_max,
        section.link_lost_s,
    )


def channel_settings(home: Home, config: Config) -> list[ChannelSettings]:
    """Every channel of the configuration; secrets are references or texts."""
    section = config.notify
    return [
        ChannelSettings(
            name, each.kind, each.per_minute, section.timeout_s, home.root, each.url.get_secret_value(),
            each.secret.get_secret_value(), section.proxy.get_secret_value(), each.mention_all, each.host, each.port,
            each.security, each.user, each.password.get_secret_value(), each.sender, each.to,
        )
        for name, each in section.channels.items()
    ]  # fmt: skip


@asynccontextmanager
async def open_channels(
    home: Home, config: Config, clock: Clock, offload: Offload
) -> AsyncIterator[tuple[Channel, ...]]:
    """The channels until the block ends; their libraries are loaded only when there is one."""
    opened = []
    for settings in channel_settings(home, config):
        try:
            opened.append(opened_channel(settings, clock, offload))
        except (GatewayError, OSError) as error:
            logger.warning("channel {} is left out: {}", settings.name, error)
    try:
        yield tuple(opened)
    finally:
        for each in opened:
            await each.close()


def opened_channel(settings: ChannelSettings, clock: Clock, offload: Offload) -> HttpChannel | MailChannel:
    """One channel; close it. Raises GatewayError for a proxy that cannot be used."""
    if settings.kind == "smtp":
        from qws.gateways.notify.mail import MailChannel

        return MailChannel(settings, clock, offload)
    from qws.gateways.notify.http import HttpChannel

    return HttpChannel(settings, clock, offload)
