"""The house rules as small functions over one parsed file. Every exception stands in a table here, with its reason."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FILE_LINES, FUNCTION_LINES, ACTOR_LINES, ACTOR_ARGUMENTS, RUNTIME_LINES = 300, 50, 150, 5, 600

_DOMAIN, _EDGES = ("qws.domain",), ("qws.domain", "qws.ports", "qws.errors")
LAYERS: dict[str, tuple[str, ...]] = {  # the first that fits; what stands in no line is composition and may know all
    "qws/errors.py": (),
    "qws/domain/": ("qws.domain", "qws.errors"),  # errors: a broken money rule is raised
    "qws/ports.py": _DOMAIN,
    "qws/messages.py": (
        "qws.domain",
        "qws.runtime.message",
        "qws.run_messages",
        "qws.alert_messages",
        "qws.check_messages",
    ),
    "qws/alert_messages.py": ("qws.domain", "qws.runtime.message"),
    "qws/check_messages.py": ("qws.domain", "qws.runtime.message"),
    "qws/run_messages.py": ("qws.domain", "qws.runtime.message"),
    "qws/runtime/": ("qws.runtime", "qws.errors"),
    "qws/tables/": ("qws.tables", "qws.domain", "qws.errors"),
    "qws/config_risk.py": ("qws.domain",),
    "qws/config.py": (
        "qws.domain",
        "qws.errors",
        "qws.masking",
        "qws.checks_section",
        "qws.config_faults",
        "qws.config_risk",
        "qws.notify_section",
        "qws.schedule_section",
        "qws.serve_section",
    ),
    "qws/checks_section.py": ("qws.domain", "qws.local_time"),
    "qws/schedule_section.py": ("qws.domain", "qws.cron", "qws.local_time"),
    "qws/cron.py": (),
    "qws/local_time.py": (),
    "qws/config_faults.py": ("qws.local_time", "qws.masking"),
    "qws/masking.py": (),
    "qws/notify_section.py": ("qws.domain", "qws.local_time"),
    "qws/serve_section.py": (),
    "qws/gateways/sim/": ("qws.gateways.sim", *_EDGES),
    "qws/gateways/xt/": ("qws.gateways.xt", "qws.masking", *_EDGES),
    "qws/gateways/files/": ("qws.gateways.files", *_EDGES),
    "qws/gateways/wire/": ("qws.gateways.wire", *_EDGES),
    "qws/gateways/notify/": ("qws.gateways.notify", *_EDGES),
    "qws/gateways/": _EDGES,
    "qws/store/": (
        "qws.store",
        *_EDGES,
        "qws.messages",
        "qws.runtime.message",
        "qws.sentences",
    ),  # the journal keeps envelopes
    "qws/reports/": ("qws.reports", "qws.domain", "qws.errors", "qws.store.archive"),
    "actors/": (
        *_EDGES,
        "qws.messages",
        "qws.fact_listener",
        "qws.link_news",
        "qws.run_steps",
        "qws.run_turns",
        "qws.stop_turns",
        "qws.runtime.actor",
        "qws.runtime.message",
    ),
    "qws/run_turns.py": ("qws.domain", "qws.messages"),
    "qws/stop_turns.py": ("qws.domain", "qws.messages"),
    "qws/fact_listener.py": ("qws.messages", "qws.runtime.actor", "qws.runtime.message"),
    "qws/link_news.py": ("qws.domain", "qws.messages"),
    "qws/run_steps.py": ("qws.domain", "qws.ports", "qws.messages", "qws.runtime.message"),
}
HOMES = {"xtquant": "qws/gateways/xt/", "watchfiles": "qws/store/inbox.py"}
HOMES |= {
    "prometheus_client": "qws/serving/exposition.py",
    "httpx": "qws/gateways/notify/",
    "aiosmtplib": "qws/gateways/notify/",
}
LATE = (
    "pandas",
    "pyarrow",
    "matplotlib",
    "python_calamine",
    "xtquant",
    "watchfiles",
    "httpx",
    "aiosmtplib",
    "prometheus_client",
    "croniter",
)
IMPURE = ("asyncio", "io", "logging", "os", "pathlib", "random", "socket", "sqlite3", "subprocess", "threading", "time")
DOORS: dict[str, tuple[str, ...]] = {
    "the clock": ("qws/runtime/clock.py",),
    "sleeping threads": (
        "qws/store/parquet_file.py",  # a rename that Windows refuses is tried again, off the loop
        "tests/bench/",  # watches real processes
    ),
    "threads": ("qws/daemon.py", "qws/gateways/xt/worker.py"),  # the offload function; the vendor's calls
    "chance": (),
    "Any": ("qws/runtime/", "qws/gateways/xt/", "qws/cli/", "qws/config.py"),  # JSON documents, pydantic's problems
}
EAGER = {"qws/gateways/files/workbook_child.py": ("python_calamine",)}  # a process of its own, killed when it hangs
EAGER |= {"qws/serving/exposition.py": ("prometheus_client",)}  # late itself
EAGER |= {"qws/gateways/notify/http.py": ("httpx",), "qws/gateways/notify/mail.py": ("aiosmtplib",)}  # late themselves
BANNED = {"manager", "helper", "util", "utils", "engine", "data", "info", "handle"}
CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
CLOCK |= {f"time.{each}" for each in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime")}
THREADS = re.compile(r"(?:^|\.)(?:threading|_thread|multiprocessing|to_thread|run_in_executor|\w+PoolExecutor)(?:\.|$)")
CHANCE = re.compile(r"^(?:uuid\.)?uuid[14]$|^secrets\.|^os\.urandom$|^random\.(?!Random$)")


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path below the repository with forward slashes, its text, its tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_product(self) -> bool:
        """Whether it is delivered."""
        return self.path.startswith(("qws/", "actors/"))


Finding = tuple[int, str]
Rule = Callable[[Source], Iterator[Finding]]


def parsed(path: str, text: str) -> Source:
    """A file that may exist only in a test."""
    return Source(path, text, ast.parse(text))


def sources(root: Path, *folders: str) -> list[Source]:
    """Every Python file below these folders."""
    files = sorted(file for folder in folders for file in (root / folder).rglob("*.py"))
    return [parsed(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8")) for file in files]


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file imports, wherever it stands."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = "." * node.level + (f"{node.module}." if node.module else "")
            yield from ((node.lineno, start + alias.name) for alias in node.names)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an attribute chain, or an empty text."""
    if isinstance(node, ast.Attribute):
        return f"{start}.{node.attr}" if (start := dotted(node.value)) else ""
    return node.id if isinstance(node, ast.Name) else ""


def is_below(name: str, package: str) -> bool:
    """Whether a full name is a package or something in it."""
    return name == package or name.startswith(package + ".")


def files_are_short(source: Source) -> Iterator[Finding]:
    lines = len(source.text.splitlines())
    limit = ACTOR_LINES if source.path.startswith("actors/") else FILE_LINES
    if lines > limit:
        yield 1, f"{lines} lines, at most {limit}"


def functions_are_short(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {lines} lines, at most {FUNCTION_LINES}"


def actors_need_little(source: Source) -> Iterator[Finding]:
    if not source.path.startswith("actors/"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            if len(arguments) - 1 > ACTOR_ARGUMENTS:
                yield node.lineno, f"{len(arguments) - 1} constructor arguments, at most {ACTOR_ARGUMENTS}"


def layers_hold(source: Source) -> Iterator[Finding]:
    layer = next((each for each in LAYERS if source.path.startswith(each)), None)
    for line, name in imported(source):
        is_ours = name.split(".")[0] in ("qws", "actors")
        if name.startswith("."):
            yield line, f"{name}: write the import absolute"
        elif layer is not None and is_ours and not any(is_below(name, each) for each in LAYERS[layer]):
            yield line, f"{layer} may not know {name}"


def the_domain_is_pure(source: Source) -> Iterator[Finding]:
    if source.path.startswith("qws/domain/"):
        for line, name in imported(source):
            top = name.split(".")[0]
            if top in IMPURE or (top != "qws" and top not in sys.stdlib_module_names):
                yield line, f"the domain may not import {name}"


def vendors_have_one_home(source: Source) -> Iterator[Finding]:
    for line, name in imported(source):
        home = HOMES.get(name.split(".")[0])
        if source.is_product and home is not None and not source.path.startswith(home):
            yield line, f"{name} may be imported only in {home}"


def heavy_imports_are_late(source: Source) -> Iterator[Finding]:
    """Statements that run at import: all but those inside functions and `if TYPE_CHECKING`."""
    waiting: list[ast.AST] = [source.tree] if source.is_product else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING"):
            waiting.extend(node.orelse)
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import | ast.ImportFrom):
            for line, name in imported(Source(source.path, "", ast.Module([node], []))):
                top = name.split(".")[0]
                if top in LATE and top not in EAGER.get(source.path, ()):
                    yield line, f"import {name} inside the function that needs it"


def _used(source: Source) -> Iterator[tuple[int, str]]:
    """Line and full name of what is imported, or called or mentioned through a module, aliases resolved."""
    aliases: dict[str, str] = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            aliases |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Name) and (name := dotted(node)):
            top, _, rest = name.partition(".")
            yield node.lineno, ".".join(filter(None, (aliases.get(top, top), rest)))
    yield from imported(source)


def _behind(source: Source, door: str) -> bool:
    return not source.is_product or source.path.startswith(DOORS[door] or ("nowhere",))


def one_place_reads_the_clock(source: Source) -> Iterator[Finding]:
    for line, name in [] if _behind(source, "the clock") else _used(source):
        if any(name == each or name.endswith(f".{each}") for each in CLOCK):
            yield line, f"{name}: ask the injected clock"


def nothing_sleeps(source: Source) -> Iterator[Finding]:
    if not source.path.startswith(DOORS["sleeping threads"]):
        yield from ((line, f"{name}: wait on the clock") for line, name in _used(source) if name == "time.sleep")


def one_place_makes_threads(source: Source) -> Iterator[Finding]:
    for line, name in [] if _behind(source, "threads") else _used(source):
        if THREADS.search(name):
            yield line, f"{name}: only the offload function makes threads"


def chance_is_seeded(source: Source) -> Iterator[Finding]:
    for line, name in [] if _behind(source, "chance") else _used(source):
        if CHANCE.search(name):
            yield line, f"{name}: derive it, or use a Random with a seed"
    for node in ast.walk(source.tree) if source.is_product else ():
        if isinstance(node, ast.Call) and dotted(node.func).endswith("Random") and not node.args:
            yield node.lineno, "Random needs a seed"


def any_is_for_the_runtime(source: Source) -> Iterator[Finding]:
    for line, name in [] if _behind(source, "Any") else imported(source):
        if name == "typing.Any":
            yield line, "Any: name the type"
