"""Messages as JSON text: decimals exact, times in Asia/Shanghai, enums by value. What is written can be read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import cast
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError, SchemaSerializer, SchemaValidator, ValidationError, core_schema

import qws.messages
from qws.errors import StoreError
from qws.runtime.message import ActorCrashed, Message, Started, Stopping

SHANGHAI = ZoneInfo("Asia/Shanghai")
_LARGE, _REMEMBERED = 8_192, 4  # characters; messages
# What was just journalled goes to the read models next: a snapshot of thousands of names is not made into text twice.
_large: dict[int, tuple[Message, str]] = {}

MESSAGE_TYPES: Mapping[str, type[Message]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (*vars(qws.messages).values(), ActorCrashed, Started, Stopping)
        if isinstance(kind, type) and issubclass(kind, Message) and kind is not Message
    }
)


def encode(message: Message) -> str:
    """The message as JSON text; raises `StoreError` for a value that could not be read back."""
    known, text = _large.get(id(message), (None, ""))
    if known is message:
        return text
    kind = type(message).__name__
    try:
        text = _serializer(kind).to_json(message, warnings="error").decode("utf-8")
    except PydanticSerializationError as error:
        raise StoreError(f"{kind} cannot be written: {' '.join(str(error).split())[:500]}") from error
    if "NaN" in text or "Infinity" in text:  # a Decimal writes both and reads neither; a name may contain them
        decode(kind, text)
    if len(text) > _LARGE:
        _large[id(message)] = message, text
        if len(_large) > _REMEMBERED:
            del _large[next(iter(_large))]
    return text


def decode(kind: str, text: str) -> Message:
    """The message of this type that `encode` wrote; raises `StoreError` when the text is not one."""
    try:
        return cast("Message", _validator(kind).validate_json(text))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StoreError(f"{kind} cannot be read: {where}: {first['msg']}") from error


def in_shanghai(moment: datetime) -> datetime:
    """The same instant in Asia/Shanghai."""
    return moment.astimezone(SHANGHAI)


@cache
def _adapter(kind: str) -> TypeAdapter[Message]:
    if kind not in MESSAGE_TYPES:
        raise StoreError(f"{kind} is not a message of this version; install the version that wrote it, or a newer one")
    return TypeAdapter(MESSAGE_TYPES[kind])


@cache
def _serializer(kind: str) -> SchemaSerializer:
    return SchemaSerializer(cast("core_schema.CoreSchema", _with_shanghai(_adapter(kind).core_schema)))


@cache
def _validator(kind: str) -> SchemaValidator:
    return SchemaValidator(cast("core_schema.CoreSchema", _with_shanghai(_adapter(kind).core_schema)))


def _with_shanghai(schema: object) -> object:
    """The schema with every datetime aware and in Asia/Shanghai: annotations of the domain cannot say so."""
    if isinstance(schema, dict):
        if schema.get("type") == "datetime":
            return core_schema.no_info_after_validator_function(
                in_shanghai,
                core_schema.datetime_schema(tz_constraint="aware"),
                serialization=core_schema.plain_serializer_function_ser_schema(_iso),
            )
        return {key: _with_shanghai(part) for key, part in schema.items()}
    if isinstance(schema, list):
        return [_with_shanghai(part) for part in schema]
    return schema


def _iso(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return in_shanghai(moment).isoformat()
