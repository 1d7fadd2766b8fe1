"""README tells the truth: its diagram, commands, settings and reason codes are the program's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qws.app import ACTORS
from qws.cli import COMMANDS
from qws.config import Config
from qws.runtime.actor import contract_of
from qws.runtime.topology import mermaid

ROOT = Path(__file__).parents[1]
PLANNING = ("allocator", "planner", "pricing", "legaliser", "execution", "goal", "target_modes")
# Settings, price origins and statuses, not reasons.
NO_REASONS = {"prev_close", "pro_rata", "at_send", "at_plan"}
READMES = ["README.md", "README.zh-CN.md"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", READMES)
def test_the_diagram_is_the_topology_of_the_actors(name: str) -> None:
    diagram = mermaid([contract_of(actor) for actor in ACTORS])

    found = re.search(r"<!-- topology -->\n```mermaid\n(.*?)\n```\n<!-- /topology -->", read(name), re.DOTALL)

    assert found is not None, "the topology block is missing"
    assert found.group(1) == diagram, f"paste the output of `qws topology`:\n{diagram}"


@pytest.mark.parametrize("name", READMES)
def test_every_command_is_named(name: str) -> None:
    text = read(name)

    assert [command for command in COMMANDS if f"`qws {command}" not in text] == []


@pytest.mark.parametrize("name", READMES)
def test_every_setting_is_named(name: str) -> None:
    text = read(name)
    keys = {key for field in Config.model_fields for key in _keys(field)}

    assert sorted(key for key in keys if f"`{key}`" not in text) == []


def _keys(field: str) -> list[str]:
    section = getattr(Config(), field)
    return list(type(section).model_fields) if hasattr(type(section), "model_fields") else [field]


@pytest.mark.parametrize("name", READMES)
def test_every_refusal_and_reason_code_is_named(name: str) -> None:
    text = read(name)
    paths = [path for folder in ("qws", "actors") for path in (ROOT / folder).rglob("*.py")]
    sources = [path.read_text(encoding="utf-8") for path in paths]
    codes = {code for source in sources for code in re.findall(r"Refusal\(\s*\"([a-z_]+)\"", source)}
    codes |= {code for source in sources for code in re.findall(r"reason=\"([a-z_]+)\"", source)}

    assert codes
    assert sorted(code for code in codes if f"`{code}`" not in text) == []


@pytest.mark.parametrize("name", READMES)
def test_every_reason_of_a_plan_row_is_in_the_table_of_reasons(name: str) -> None:
    rows = [line for line in read(name).splitlines() if line.startswith("| `")]
    table = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    sources = [(ROOT / "qws" / "domain" / f"{file}.py").read_text(encoding="utf-8") for file in PLANNING]
    literal = re.compile(r"\"([a-z]+_[a-z0-9_]+|lot|cash|cage|suspended)\"")
    codes = {code for source in sources for code in literal.findall(source)}

    assert {"t_plus_1", "drift_band", "limit_up", "no_quote", "min_order", "cash", "row_filtered"} <= codes
    assert sorted(codes - table - NO_REASONS) == []


def test_both_languages_have_the_same_headings_tables_code_and_lists() -> None:
    english, chinese = (shape(read(name)) for name in READMES)

    assert len(english) > 40
    assert [(here, there) for here, there in zip(english, chinese, strict=True) if here != there] == []


def shape(text: str) -> list[tuple[str, int]]:
    """Every heading with its level, and every table, block of code and list with its number of lines or entries."""
    found: list[tuple[str, int]] = []
    is_code, before = False, ""
    for line in text.splitlines():
        kind = "|" if line.startswith("|") else "-" if re.match(r"- |\d+\. ", line) else ""
        if line.startswith("```"):
            is_code = not is_code
            found += [("code", 0)] if is_code else []
        elif is_code:
            found[-1] = ("code", found[-1][1] + 1)
        elif line.startswith("#"):
            found.append(("#", line.index(" ")))
        elif kind and (kind == before or (kind == "-" and found[-1][0] == "-")):
            found[-1] = (kind, found[-1][1] + 1)
        elif kind:
            found.append((kind, 1))
        before = kind
    return found


def test_the_shipped_settings_are_the_template_that_init_writes() -> None:
    assert read("config/qws.toml") == read("qws/cli/qws.toml")
