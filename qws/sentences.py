"""Sentences that were made in English, in the language of this process: the catalogue's texts are patterns here.

Refusals, errors and results carry finished English sentences: pure functions make them and the journal keeps them.
Where one is shown to a person, its pattern in the catalogue tells which values stand in it; so old rows are read too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from string import Formatter
from typing import NamedTuple

from qws import language
from qws.reports.reasons import said
from qws.words import N_

_DEEP = 4  # a sentence may quote one that quotes another
_GLUE = {": ": "\uff1a", "; ": "\uff1b", ", ": "\uff0c"}  # what sentences are put together with
_SPLITS_MAX = 12
_LINE_MAX = 2_000  # a longer line is none of our sentences; it may be made on the loop, so it may not take long
_WEIGHT_MIN = 6  # "{shown} of {all}" would be found in half of what others say
_HEAD = re.compile(r"(?:([a-z][a-z_0-9-]*)|row (\d+)): (.*)")
_PARTS = re.compile(r"((?:\s|-> |\[[a-z_0-9]+\] )*)(.*?)(\s*)")


_Pieces = tuple[tuple[str, str | None], ...]


class _Pattern(NamedTuple):
    landmark: str  # a text without it cannot match
    weight: int  # characters that must be there: the pattern that knows most of a text wins
    source: str
    pieces: _Pieces
    translation: str


_ALONE = (  # sentences of one word, parts of sentences, and statuses: too short to be found by their looks
    N_("row {number}"),
    N_("{count} columns where the header has {wanted}"),
    N_("paper account"),
    N_("shadow account"),
    N_("live account"),
    N_("shadow account {number}"),
    N_("live account {number}"),
    N_("checked {at}: {text}"),
    N_("run completed"),
    N_("run incomplete"),
    N_("run incomplete [{code}]"),
    N_("run refused [{code}]"),
    N_("run superseded [{code}]"),
    N_("waits"),
    N_("always"),
    N_("no close is recorded from {first} to {last}"),
    N_("closes are recorded from {first} to {last}"),
    N_("none is recorded at all"),
    N_("two closes are recorded for {day}"),
    N_("{at} {by}: taken: {reply}"),
    N_("{at} {by}: refused: {reply}"),
    N_("{channel}: taken: {text}"),
    N_("{channel}: NOT TAKEN: {text}"),
    N_("acknowledged"),
    N_("held [{code}]: {text}"),
    N_("expired"),
    N_("full"),
    N_("added"),
    N_("removed"),
    N_("changed"),
    N_("{count} added"),
    N_("{count} removed"),
    N_("{count} changed"),
    N_("refused [{code}]"),
    N_("picture: {path}"),
    N_("home: {path}"),
    N_("settings: {path}"),
    N_("Run {id}"),
    N_("{count} info"),
    N_("{count} warning"),
    N_("{count} critical"),
    N_("running"),
    N_("stopped"),
    N_("halted"),
    N_("reduce-only"),
    N_("ready"),
    N_("readable"),
    N_("unreported"),
    N_("wait_reporting"),
    N_("reported_cancel"),
    N_("partsucc_cancel"),
    N_("part_cancel"),
    N_("canceled"),
    N_("part_succ"),
    N_("succeeded"),
    N_("junk"),
)


def localised(text: str) -> str:
    """A text of ours in the chosen language, line by line; what the catalogue does not know stays as it is."""
    if not language.is_chinese():
        return text
    return "\n".join(_line(line, _DEEP) for line in text.split("\n"))


def reasoned(code: str, text: str = "") -> str:
    """A stable code with what there is to say of it: its words in Chinese, then the text of the moment."""
    words = said(code, "zh") if language.is_chinese() else code
    told = [part for part in ("" if words == code else words, localised(text)) if part]
    return f"[{code}] {_GLUE[', '].join(told)}".rstrip()


def _line(line: str, deep: int) -> str:
    parts = _PARTS.fullmatch(line) if len(line) <= _LINE_MAX else None
    if parts is None or not parts[2]:
        return line
    before, text, after = parts.groups()
    return before + _sentence(text, deep) + after


def _sentence(text: str, deep: int) -> str:
    known = _headed(text, deep) or _known(text, deep)
    if known is None and text.endswith(":"):
        return _sentence(text[:-1], deep) + _GLUE[": "]
    if known is not None or not deep:
        return known or text
    for glue, ours in _GLUE.items():
        parts = text.split(glue, _SPLITS_MAX)
        for at in range(1, len(parts)):
            left, right = glue.join(parts[:at]), glue.join(parts[at:])
            first, second = _known(left, deep), _headed(right, deep) or _known(right, deep)
            if first is not None or second is not None:
                is_list = glue == ", " and (first is None or second is None)
                return _line(left, deep - 1) + (glue if is_list else ours) + _line(right, deep - 1)
    return _known(text, deep, is_strict=False) or text


def _headed(text: str, deep: int) -> str | None:
    """A sentence behind a code, which stays as it is, or behind the number of its row."""
    if (found := _HEAD.fullmatch(text)) is None:
        return None
    code, number, rest = found.groups()
    sentence = _headed(rest, deep) or _known(rest, deep)
    if sentence is None:
        return None
    row = language.translated("row {number}").format(number=number) + _GLUE[": "] if number else ""
    return (row or f"{code}: ") + sentence


def _known(text: str, deep: int, *, is_strict: bool = True) -> str | None:
    """By the catalogue; strictly, no value in front swallows what may be a sentence of its own."""
    is_value = deep < _DEEP and " " not in text and text not in _ALONE  # a name of the user's, whatever it means
    exact = text if is_value else language.translated(text)
    if exact != text:
        return exact
    if not deep or not re.search("[a-z]{2}", text):
        return None
    for pattern in _patterns():
        if pattern.landmark not in text or (found := _values(pattern.pieces, text)) is None:
            continue
        front = next(iter(found.values())) if pattern.source.startswith("{") else ""
        if not is_strict or not any(glue in front for glue in _GLUE):
            return _filled(pattern.translation, {name: _line(it, deep - 1) for name, it in found.items()})
    return None


def _values(pieces: _Pieces, text: str) -> dict[str, str] | None:
    """The values that stand in a text, each as short as it can be; in one pass, whatever the text: it may be hostile.

    Where the first places of all words but the last do not fit, no other places do.
    """
    (first, _), *_between, (last, _) = pieces
    end = len(text) - len(last)
    at = len(first)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return None
    found: dict[str, str] = {}
    for (_, name), (literal, following) in pairwise(pieces):
        place = end if following is None else text.find(literal, at, end)
        if place < at or found.setdefault(name or "", text[at:place]) != text[at:place]:
            return None
        at = place + len(literal)
    return found


def _filled(translation: str, values: Mapping[str, str]) -> str:
    """Formats and conversions were spent when the English sentence was made."""
    pieces = []
    for literal, name, _, _ in Formatter().parse(translation):
        pieces.append(literal + ("" if name is None else values[name]))
    return "".join(pieces)


@lru_cache(maxsize=1)
def _patterns() -> tuple[_Pattern, ...]:
    found = []
    for source, translation in language.catalogue().items():
        pieces = _pieces(source)
        literals = [literal for literal, _ in pieces]
        weight = len("".join(literals))
        if (
            len(pieces) > 1
            and (weight >= _WEIGHT_MIN or source in _ALONE)
            and re.search("[A-Za-z]{2}", "".join(literals))
        ):
            found.append(_Pattern(max(literals, key=len), weight, source, pieces, translation))
    # What begins with words of its own is surer than what may begin with anything.
    return tuple(sorted(found, key=lambda each: (each.source.startswith("{"), -each.weight)))


def _pieces(source: str) -> _Pieces:
    """The words of a text, each with the name of the value behind it; the last ones have none."""
    pieces = [(literal, name) for literal, name, _, _ in Formatter().parse(source)]
    return (*pieces, *([("", None)] if pieces[-1][1] is not None else []))
