"""Every English sentence that the program makes and a person may read, as the pattern that the catalogue needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

# Parts that speak to no person, or by words of their own (the pages of qws/reports), or only to programmers.
SILENT = (
    "qws/reports/", "qws/runtime/", "qws/gateways/wire/", "qws/gateways/sim/counter.py", "qws/domain/audit.py",
    "qws/domain/matching.py", "qws/store/codec.py", "qws/store/archive.py",
    "qws/store/projection.py", "qws/store/event_reading.py", "qws/store/views_schema.py", "qws/gateways/xt/contract.py",
    "qws/gateways/notify/loopback.py",
    "qws/serving/http.py", "qws/serving/exposition.py", "qws/serving/facts.py", "qws/serving/health.py",
)  # fmt: skip
QUIET_CALLS = frozenset(
    {"_", "N_", "debug", "info", "warning", "error", "exception", "execute", "executemany", "cast", "compile",
     "AssertionError", "TypeError"}
)  # fmt: skip
SQL = re.compile(r"\b(SELECT|INSERT|DELETE FROM|CREATE|UPDATE|PRAGMA|WHERE|ORDER BY|UNION ALL|DEFAULT|LIMIT|TEXT)\b")
STYLE = re.compile(r"(bold|red|green|white|dim|on|dark_orange|cyan|italic| )+")
HEAD = re.compile(r"^(?:\s|-> |\[[a-z_0-9]+\] )+")
ALIASES = ("目标日期", "成份券代码", "权重比例")  # how the lists of column names in target_cells end
NAMES = frozenset(  # of threads and columns, and what is no text
    {"xt trade", "xt check", "xt quotes", "xt import", "qws demo", "qws plan", "qws replay", "run_id, code",
     "run_id, attempt, idx", "message_id, tag", '<at user_id="all"></at>', "powercfg /change standby-timeout-ac 0",
     "risk.no_buys, risk.no_trades", "second_orders_max = 3", "w32tm /resync", "451 not today",
     '{0}: broker.kind = "{1}": {2}', "--one-lot {0}: {1}",
     "{0}: log.rotation = {1}: {2}"}
)  # fmt: skip
GLUE = re.compile("^[;,:] |[;,:]$")  # sentences are put together with these
TITLE = re.compile(r"[A-Z][a-z]+\.")  # the shortest help
WORD = re.compile("[A-Za-z]{2,}")


def sentences(path: Path, name: str) -> set[str]:
    """The patterns of one file: plain texts as they stand, formatted ones with numbered fields."""
    if name.startswith(SILENT):
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {line for text in _texts(tree) for line in _lines(text)}
    if name.startswith("qws/cli/"):
        found |= {paragraph for text in _helps(tree) for paragraph in paragraphs(text)}
    return found


def _lines(text: str) -> Iterator[str]:
    for line in [] if SQL.search(text) else text.split("\n"):
        bare = re.sub(r"\{[^}]*\}", "", line).strip()
        is_sentence = (" " in bare and len(WORD.findall(bare)) > 1) or bool(TITLE.fullmatch(bare))
        if is_sentence and line.strip() not in NAMES and not STYLE.fullmatch(bare):
            yield GLUE.sub("", HEAD.sub("", line).strip())


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of a command's help, each on one line."""
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.strip():
            yield " ".join(paragraph.split())


def _helps(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            marks = [ast.unparse(each) for each in node.decorator_list]
            if any(re.search(r"\.(command|group)\(", mark) for mark in marks) and (text := ast.get_docstring(node)):
                yield text


def _texts(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and _called(child) in QUIET_CALLS:
            continue
        if isinstance(child, ast.Assert):
            continue
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue  # a docstring
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            if not child.value.endswith(ALIASES):
                yield child.value
        elif isinstance(child, ast.JoinedStr):
            yield _pattern(child)
            for part in child.values:
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(ast.Expression(part.value))
        else:
            yield from _texts(child)


def _pattern(text: ast.JoinedStr) -> str:
    pieces, number = [], 0
    for part in text.values:
        if isinstance(part, ast.Constant):
            pieces.append(str(part.value).replace("{", "{{").replace("}", "}}"))
        else:
            pieces.append(f"{{{number}}}")
            number += 1
    return "".join(pieces)


def _called(call: ast.Call) -> str:
    name = call.func
    return name.id if isinstance(name, ast.Name) else name.attr if isinstance(name, ast.Attribute) else ""
