"""Times as a person types them."""

from __future__ import annotations

from datetime import datetime, time

import click

from qws.runtime.clock import SHANGHAI, SystemClock


def moment_of(given: str) -> datetime:
    """`09:30` of today, or an ISO date or time (of Asia/Shanghai unless it says otherwise), in Shanghai.

    A usage error tells what is none.
    """
    try:
        if len(given) <= len("09:30:00.000000") and ":" in given:
            moment = datetime.combine(SystemClock().now().date(), time.fromisoformat(given))
        else:
            moment = datetime.fromisoformat(given)
    except ValueError as error:
        raise click.UsageError(f"{given!r} is no time; write 09:30, 2026-11-23, or '2026-11-23 09:30'") from error
    return moment.astimezone(SHANGHAI) if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
