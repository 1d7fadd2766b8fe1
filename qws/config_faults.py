"""What is wrong with a configuration, in a line that names where it was said: in the file or in the environment."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import date, time

from pydantic_core import ErrorDetails

from qws.local_time import LOCAL_TIME
from qws.masking import masked

_PREFIX, _NESTED = "QWS_", "__"
_NO_SETTING = {"QWS_HOME"}
NOT_JSON = "write lists and tables in QWS_ variables as JSON, for example '[\"600519.SH\"]', or one key a variable"
_TABLE, _LIST, _NUMBER = (
    "write it as one table of keys",
    "write a list in square brackets",
    "write a number",
)
_ALLOWED = {  # where pydantic speaks of Python's types
    **dict.fromkeys(("model_type", "dict_type"), _TABLE),
    **dict.fromkeys(("tuple_type", "frozen_set_type"), _LIST),
    **dict.fromkeys(("decimal_type", "decimal_parsing"), _NUMBER),
    **dict.fromkeys(("time_type", "time_parsing"), LOCAL_TIME),
    "missing": "it is missing",
}


def fault_line(source: str, problem: ErrorDetails, settled: Mapping[str, object]) -> str:
    """One fault; `source` is the file, `settled` what no environment variable overrides."""
    key = ".".join(str(part) for part in problem["loc"])
    where = _where(source, tuple(str(part) for part in problem["loc"]), settled)
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key {key}; correct its spelling or remove it"
    why = _ALLOWED.get(problem["type"]) or _said(problem)
    if not key:  # between sections: the input would be everything there is
        return f"{where}: {why}"
    is_secret = key.partition(".")[0] == "notify"  # a robot's address is a password
    if is_secret or problem["type"] == "missing" or _holds_table(problem["input"]):
        return f"{where}: {key}: {why}"
    shown = masked(f"{problem['input']}") if key in ("xt", "xt.account") else _written(problem["input"])
    remedy = "; put it in quotes" if problem["type"] == "string_type" else ""
    return f"{where}: {key} = {shown}: {why}{remedy}"


def _said(problem: ErrorDetails) -> str:
    """Our own words bare, for pydantic puts the class of the exception in front of them."""
    return str(problem["ctx"]["error"]) if problem["type"] == "value_error" else problem["msg"]


def _holds_table(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and any(_holds_table(each) for each in value))


def _written(value: object) -> str:
    """A value as it stands in the file: TOML, not Python."""
    match value:
        case str():
            return f"'{value}'" if value.isprintable() and "'" not in value else json.dumps(value, ensure_ascii=False)
        case bool() | None:
            return json.dumps(value)
        case date() | time():
            return value.isoformat()
        case list():
            return f"[{', '.join(_written(each) for each in value)}]"
        case _:
            return str(value)


def _where(source: str, parts: tuple[str, ...], settled: Mapping[str, object]) -> str:
    """Who said it: the variable of this key or of a table around it, else the file with the variables below it."""
    said = {name.upper() for name in os.environ if name.upper().startswith(_PREFIX)} - _NO_SETTING
    names = [_PREFIX + _NESTED.join(parts[:count]).upper() for count in range(len(parts), 0, -1)]
    if not _holds(settled, parts):
        for name in names:
            if name in said:
                return f"environment variable {name}"
    below = sorted(each for each in said if not parts or each.startswith(names[0] + _NESTED))
    return f"{source} with environment variable {', '.join(below)}" if below else source


def _holds(table: object, parts: tuple[str, ...]) -> bool:
    for part in parts:
        if not isinstance(table, Mapping) or part not in table:
            return False
        table = table[part]
    return bool(parts)
