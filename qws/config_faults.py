"""What is wrong with a configuration, in a line that names where it was said: in the file or in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pydantic_core import ErrorDetails

from qws.masking import masked

_PREFIX, _NESTED = "QWS_", "__"
_NO_SETTING = {"QWS_HOME"}
NOT_JSON = "write lists and tables in QWS_ variables as JSON, for example '[\"600519.SH\"]', or one key a variable"


def fault_line(source: str, problem: ErrorDetails, settled: Mapping[str, object]) -> str:
    """One fault; `source` is the file, `settled` what no environment variable overrides."""
    key = ".".join(str(part) for part in problem["loc"])
    where = _where(source, tuple(str(part) for part in problem["loc"]), settled)
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key {key}; correct its spelling or remove it"
    if not key:  # between sections: the input would be everything there is
        return f"{where}: {problem['ctx']['error']}"
    if key.partition(".")[0] == "notify":  # a robot's address is a password
        return f"{where}: {key}: {problem['msg']}"
    shown = masked(f"{problem['input']}") if key == "xt.account" else repr(problem["input"])
    remedy = "; put it in quotes" if problem["type"] == "string_type" else ""
    return f"{where}: {key} = {shown}: {problem['msg']}{remedy}"


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
