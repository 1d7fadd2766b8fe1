"""A time of day in the settings: of Asia/Shanghai, and therefore without a zone."""

from __future__ import annotations

from datetime import time
from typing import Annotated

from pydantic import AfterValidator

LOCAL_TIME = "write a time of Asia/Shanghai without a zone, like '09:30:00'"


def _local(moment: time) -> time:
    if moment.tzinfo is not None:  # a bare number too: pydantic takes it for seconds in UTC
        raise ValueError(LOCAL_TIME)
    return moment


LocalTime = Annotated[time, AfterValidator(_local)]
