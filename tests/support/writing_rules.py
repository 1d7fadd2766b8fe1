"""The house rules about how things are caught, named, opened and tested; the other half of `house_rules`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from qws.runtime.actor import snake_case
from tests.support.house_rules import BANNED, Finding, Source, dotted, imported

SUPERVISOR = "qws/runtime/system.py"
INHERITED = re.compile(r"handle_(data|\w*tag|RCPT|DATA)$")  # what html.parser and an SMTP server call


def _names(node: ast.expr | None) -> list[str]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node] if node is not None else []
    return [dotted(part) for part in parts]


def one_place_catches_exception(source: Source) -> Iterator[Finding]:
    """Who cleans up and raises again swallows nothing."""
    if not source.is_product or source.path == SUPERVISOR:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            is_broad = node.type is None or {"Exception", "BaseException"} & set(_names(node.type))
            last = node.body[-1]
            if is_broad and not (isinstance(last, ast.Raise) and last.exc is None):
                yield node.lineno, "catch what can happen, by name"
        elif isinstance(node, ast.Call) and dotted(node.func).endswith("suppress"):
            if {"Exception", "BaseException"} & {dotted(each) for each in node.args}:
                yield node.lineno, "suppress what can happen, by name"


def files_name_their_encoding(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call) or any(each.arg == "encoding" for each in node.keywords):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
        texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        texts += [str(each.value.value) for each in node.keywords if isinstance(each.value, ast.Constant)]
        modes = [text for text in texts if re.fullmatch(r"[rwxa][bt+]*", text)]
        is_open = dotted(node.func) in ("open", "io.open", "os.fdopen") or (called == "open" and bool(modes))
        is_text_process = any(each.arg in ("text", "universal_newlines") for each in node.keywords)
        is_text = called in ("read_text", "write_text") or (is_open and not any("b" in mode for mode in modes))
        if is_text or (is_text_process and dotted(node.func).startswith("subprocess.")):
            yield node.lineno, f"{called} without an encoding"


def _words(name: str) -> set[str]:
    return set(snake_case(name).split("_"))


def _defined(source: Source) -> Iterator[tuple[int, str]]:
    for part in source.path.removesuffix(".py").split("/"):
        yield 1, part
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.alias) and node.asname:
            yield 1, node.asname


def names_say_something(source: Source) -> Iterator[Finding]:
    """Only names that this project gives: what libraries call their own is theirs."""
    for line, name in _defined(source):
        if (empty := _words(name) & BANNED) and not INHERITED.match(name):
            yield line, f"{name} says {', '.join(sorted(empty))}, which says nothing"


def handlers_are_named_by_their_message(source: Source) -> Iterator[Finding]:
    if not source.path.startswith("actors/"):
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        found = re.match(r"(on_|recall_)(\w+)", node.name)
        message = next(
            (dotted(each.annotation) for each in node.args.args if each.arg == "msg" and each.annotation), ""
        )
        if found and snake_case(message.rpartition(".")[2]) != found[2]:
            yield node.lineno, f"{node.name} must take `msg`, the message it is named after"


def flags_are_named_at_the_call(source: Source) -> Iterator[Finding]:
    if not source.is_product:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for each in node.args.posonlyargs + node.args.args:
                if each.annotation is not None and re.fullmatch(r"bool( \| None)?", ast.unparse(each.annotation)):
                    yield each.lineno, f"{node.name}: make {each.arg} keyword-only"


def texts_can_be_translated(source: Source) -> Iterator[Finding]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) == "_":
            parts = [part for each in node.args for part in ast.walk(each)]
            if any(isinstance(part, ast.JoinedStr | ast.BinOp | ast.Call) for part in parts):
                yield node.lineno, "only a literal can be extracted: format it afterwards"


def _is_a_constant(call: ast.Call) -> bool:
    """A limit or a table, named in capitals, may be another one in a test; behaviour may not."""
    target = call.args[0] if call.args else None
    return isinstance(target, ast.Constant) and str(target.value).rpartition(".")[2].isupper()


def tests_use_the_real_thing(source: Source) -> Iterator[Finding]:
    if not source.path.startswith("tests/"):
        return
    for line, name in imported(source):
        if re.match(r"(unittest\.mock|mock|pytest_mock)\b", name):
            yield line, f"{name}: use a fake that passes the conformance suite"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in ("monkeypatch.setattr", "monkeypatch.setitem"):
            if not _is_a_constant(node):
                yield node.lineno, "hand the test's own object over instead of patching"
        elif isinstance(node, ast.arg) and node.arg == "mocker":
            yield node.lineno, "mocker: use a fake that passes the conformance suite"
