"""The tree obeys the house rules, and every rule can fail: a check that cannot is a defect."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from qws import messages
from qws.runtime.actor import Actor, Contract, contract_of
from qws.runtime.message import Message
from qws.runtime.topology import check_wiring
from tests.support import house_rules as house
from tests.support import writing_rules as writing

ROOT = Path(__file__).parent.parent
TREE = house.sources(ROOT, "qws", "actors", "tests")


def long_function(lines: int) -> str:
    return "def f():\n" + "    pass\n" * (lines - 1)


def constructor(arguments: int) -> str:
    return f"class A:\n    def __init__(self, {', '.join(f'a{number}' for number in range(arguments))}): ..."


# rule, path, a text that breaks it, a text that does not
CASES: list[tuple[house.Rule, str, str, str]] = [
    (house.files_are_short, "qws/a.py", "a = 1\n" * 301, "a = 1\n" * 300),
    (house.files_are_short, "tests/a.py", "a = 1\n" * 301, "a = 1\n" * 300),
    (house.files_are_short, "actors/a.py", "a = 1\n" * 151, "a = 1\n" * 150),
    (house.functions_are_short, "qws/a.py", long_function(51), long_function(50)),
    (house.functions_are_short, "tests/a.py", "async " + long_function(51), "async " + long_function(50)),
    (house.actors_need_little, "actors/a.py", constructor(6), constructor(5)),
    (house.layers_hold, "qws/domain/a.py", "from qws.messages import PlanReady", "from qws.domain import orders"),
    (house.layers_hold, "qws/domain/a.py", "from qws import ports", "from qws import errors"),
    (house.layers_hold, "qws/ports.py", "import qws.runtime.system", "import qws.domain.orders"),
    (house.layers_hold, "qws/messages.py", "from qws.ports import Clock", "from qws.runtime.message import Message"),
    (house.layers_hold, "qws/runtime/a.py", "from qws.messages import PlanReady", "from qws.errors import QwsError"),
    (house.layers_hold, "qws/runtime/a.py", "import actors.planner", "import qws.runtime.inbox"),
    (house.layers_hold, "qws/gateways/sim/a.py", "import qws.messages", "from qws.ports import Broker"),
    (house.layers_hold, "qws/gateways/sim/a.py", "import qws.gateways.xt.link", "import qws.gateways.sim.tape"),
    (house.layers_hold, "qws/store/a.py", "from qws.runtime.system import System", "import qws.messages"),
    (house.layers_hold, "qws/reports/a.py", "import qws.store.journal", "import qws.store.archive"),
    (house.layers_hold, "actors/a.py", "from actors.planner import Planner", "from qws.ports import Clock"),
    (house.layers_hold, "actors/a.py", "from qws.gateways.sim import tape", "import qws.domain.tags"),
    (house.layers_hold, "actors/a.py", "def f():\n    from qws.app import build", "def f(): ..."),
    (house.layers_hold, "qws/cli/a.py", "from . import options", "from qws.cli import options"),
    (house.the_domain_is_pure, "qws/domain/a.py", "import pydantic", "import decimal"),
    (house.the_domain_is_pure, "qws/domain/a.py", "from pathlib import Path", "from functools import cache"),
    (house.vendors_have_one_home, "qws/app.py", "def f():\n    import xtquant.xttrader", "import json"),
    (house.vendors_have_one_home, "actors/planner.py", "from watchfiles import awatch", "import anyio"),
    (house.heavy_imports_are_late, "qws/a.py", "import pandas as pd", "def f():\n    import pandas as pd"),
    (house.heavy_imports_are_late, "qws/a.py", "class A:\n    import pyarrow", "def f():\n    import pyarrow"),
    (
        house.heavy_imports_are_late,
        "qws/reports/a.py",
        "try:\n    from matplotlib.figure import Figure\nfinally:\n    pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from matplotlib.figure import Figure",
    ),
    (house.heavy_imports_are_late, "qws/a.py", "import python_calamine", "import csv"),
    (house.one_place_reads_the_clock, "qws/a.py", "import datetime as d\nd.datetime.now()", "import datetime as d"),
    (house.one_place_reads_the_clock, "actors/a.py", "from time import monotonic", "from time import struct_time"),
    (house.one_place_reads_the_clock, "qws/a.py", "import time\nnow = time.perf_counter", "now = clock.now()"),
    (house.nothing_sleeps, "qws/a.py", "import time\ntime.sleep(1)", "await_ = clock.sleep(1)"),
    (house.nothing_sleeps, "tests/a.py", "from time import sleep", "from time import perf_counter"),
    (house.one_place_makes_threads, "qws/a.py", "import threading", "import asyncio"),
    (house.one_place_makes_threads, "actors/a.py", "import anyio\nanyio.to_thread.run_sync(f)", "offload(f)"),
    (house.one_place_makes_threads, "qws/a.py", "loop.run_in_executor(None, f)", "loop.call_soon(f)"),
    (house.one_place_makes_threads, "qws/a.py", "from concurrent.futures import ThreadPoolExecutor", "import queue"),
    (house.chance_is_seeded, "qws/a.py", "import random\nrandom.choice([1])", "import random\nrandom.Random('7')"),
    (house.chance_is_seeded, "qws/a.py", "from random import Random\nRandom()", "from random import Random\nRandom(7)"),
    (house.chance_is_seeded, "actors/a.py", "from uuid import uuid4", "from uuid import UUID"),
    (house.any_is_for_the_runtime, "qws/store/a.py", "from typing import Any", "from typing import Protocol"),
    (
        writing.one_place_catches_exception,
        "qws/a.py",
        "try: f()\nexcept Exception: pass",
        "try: f()\nexcept OSError: pass",
    ),
    (
        writing.one_place_catches_exception,
        "actors/a.py",
        "try: f()\nexcept (OSError, BaseException) as e: raise ValueError from e",
        "try: f()\nexcept BaseException:\n    g()\n    raise",
    ),
    (writing.one_place_catches_exception, "qws/a.py", "try: f()\nexcept: pass", "try: f()\nfinally: pass"),
    (
        writing.one_place_catches_exception,
        "qws/a.py",
        "with contextlib.suppress(Exception): f()",
        "with contextlib.suppress(OSError): f()",
    ),
    (writing.files_name_their_encoding, "qws/a.py", "open('a')", "open('a', encoding='utf-8')"),
    (writing.files_name_their_encoding, "tests/a.py", "path.open('w')", "path.open('wb')"),
    (writing.files_name_their_encoding, "qws/a.py", "path.read_text()", "path.read_bytes()"),
    (writing.files_name_their_encoding, "tests/a.py", "path.write_text('a')", "path.write_text('a', encoding='gbk')"),
    (
        writing.files_name_their_encoding,
        "tests/a.py",
        "subprocess.run(command, text=True)",
        "subprocess.run(command, text=True, encoding='utf-8')",
    ),
    (writing.names_say_something, "qws/a.py", "class OrderManager: ...", "class OrderBook: ..."),
    (writing.names_say_something, "qws/a.py", "def handle(msg): ...", "def handle_endtag(tag): ..."),
    (writing.names_say_something, "qws/a.py", "order_info = 1", "information = 1"),
    (writing.names_say_something, "qws/a.py", "def f(data): ...", "@dataclass\nclass A: ..."),
    (writing.names_say_something, "actors/a.py", "self.engine = 1", "engine.stop()"),
    (writing.names_say_something, "qws/date_utils.py", "", "utils = 1".replace("utils", "dates")),
    (
        writing.handlers_are_named_by_their_message,
        "actors/a.py",
        "class A:\n    def on_plan(self, msg: PlanReady): ...",
        "class A:\n    def on_plan_ready(self, msg: m.PlanReady): ...",
    ),
    (
        writing.handlers_are_named_by_their_message,
        "actors/a.py",
        "class A:\n    async def recall_plan_ready(self, plan: PlanReady): ...",
        "class A:\n    async def recall_plan_ready(self, msg: PlanReady): ...",
    ),
    (writing.flags_are_named_at_the_call, "qws/a.py", "def f(x: bool): ...", "def f(*, x: bool): ..."),
    (
        writing.flags_are_named_at_the_call,
        "actors/a.py",
        "def f(self, x: bool | None = None): ...",
        "@dataclass\nclass A:\n    x: bool\n    def f(cell: str | bool): ...",
    ),
    (writing.texts_can_be_translated, "qws/a.py", "_(f'sold {shares}')", "_('sold {shares}').format(shares=1)"),
    (writing.texts_can_be_translated, "qws/a.py", "_('sold %s' % shares)", "_(STATUS[order.status])"),
    (writing.tests_use_the_real_thing, "tests/a.py", "from unittest.mock import Mock", "import unittest"),
    (
        writing.tests_use_the_real_thing,
        "tests/a.py",
        "def test(monkeypatch):\n    monkeypatch.setattr(qws.app, 'build', None)",
        "def test(monkeypatch):\n    monkeypatch.setenv('QWS_HOME', 'x')",
    ),
    (writing.tests_use_the_real_thing, "tests/a.py", "def test(mocker): ...", "def test(tmp_path): ..."),
    (
        writing.tests_use_the_real_thing,
        "tests/a.py",
        "def test(monkeypatch):\n    monkeypatch.setattr('qws.cli.log.follow', None)",
        "def test(monkeypatch):\n    monkeypatch.setattr('qws.cli.control.ANSWER_WAIT_S', 0.1)",
    ),
]
RULES = list(dict.fromkeys(case[0] for case in CASES))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_obeys(rule: house.Rule) -> None:
    found = [f"{source.path}:{line}: {text}" for source in TREE for line, text in rule(source)]

    assert not found, "\n".join(found)


@pytest.mark.parametrize(("rule", "path", "broken", "kept"), CASES)
def test_a_rule_reports_what_breaks_it_and_nothing_else(rule: house.Rule, path: str, broken: str, kept: str) -> None:
    innocent = "qws/a.py" if path == "qws/date_utils.py" else path

    assert len(list(rule(house.parsed(path, broken)))) >= 1
    assert list(rule(house.parsed(innocent, kept))) == []


def test_no_rule_is_forgotten() -> None:
    defined = {
        each
        for module in (house, writing)
        for _, each in inspect.getmembers(module, inspect.isfunction)
        if inspect.signature(each).return_annotation == "Iterator[Finding]"
    }

    assert defined == set(RULES)


def test_every_exception_is_still_needed() -> None:
    paths = [source.path for source in TREE]
    homes = [
        *house.EAGER,
        *(each for each in house.HOMES.values()),
        *(p for door in house.DOORS.values() for p in door),
    ]
    missing = [home for home in homes if "/xt/" not in home and not any(path.startswith(home) for path in paths)]

    assert missing == []


def test_the_runtime_stays_small() -> None:
    lines = sum(len(source.text.splitlines()) for source in TREE if source.path.startswith("qws/runtime/"))

    assert lines <= house.RUNTIME_LINES


def actor_contracts() -> list[Contract]:
    """The contract of every actor in the files present."""
    modules = [importlib.import_module(f"actors.{file.stem}") for file in sorted((ROOT / "actors").glob("[!_]*.py"))]
    classes = [
        each
        for module in modules
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Actor) and each.__module__ == module.__name__
    ]
    assert len(classes) == len(modules), "one actor per file"
    return [contract_of(each) for each in classes]


def test_every_message_is_emitted_by_an_actor_and_consumed_by_an_actor() -> None:
    contracts = actor_contracts()
    declared = {
        each
        for _, each in inspect.getmembers(messages, inspect.isclass)
        if each.__module__ in (messages.__name__, "qws.run_messages", "qws.alert_messages", "qws.check_messages")
    }

    check_wiring(contracts)

    assert {each for each in declared if issubclass(each, Message)} == declared
    assert declared == {each for contract in contracts for each in contract.emits} & declared
    assert declared == {each for contract in contracts for each in contract.handlers} & declared
