"""What the command line speaks: the language of the home that is meant, else the system's; help and errors too."""

from __future__ import annotations

import gettext
import os
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from click.formatting import wrap_text

from qws.cli.table import width
from qws.language import catalogue_folder, is_chinese, speak
from qws.sentences import localised
from qws.words import N_

_LANGUAGES = ("auto", "en", "zh_CN")

# Texts of click itself, which asks gettext for them.
N_("Usage:")
N_("Options")
N_("Commands")
N_("Show this message and exit.")
N_("Show the version and exit.")
N_("Error: {message}")
N_("Try '{command} {option}' for help.")
N_("No such option: {name}")
N_("No such option {name!r}.")
N_("Got unexpected extra argument ({args})")
N_("Got unexpected extra arguments ({args})")
N_("Option {name!r} requires an argument.")
N_("Option {name!r} does not take a value.")
N_("{value!r} is not one of {choices}.")
N_("{value} is not in the range {range}.")
N_("{name} {filename!r} is a directory.")
N_("{name} {filename!r} is a file.")
N_("No such command {name!r}.")
N_("Missing argument")
N_("Missing option")
N_("Invalid value: {message}")
N_("Invalid value for {param_hint}: {message}")
N_("{name} {filename!r} does not exist.")
N_("{value!r} is not a valid {number_type}.")
N_("default: {default}")
N_("File")
N_("Directory")
N_("Aborted!")


def choose_language(arguments: Sequence[str]) -> None:
    """Speak as the home among the arguments says, as QWS_HOME's, or the present folder's."""
    wanted = os.environ.get("QWS_LANGUAGE") or _setting(Path(_home(arguments) or os.environ.get("QWS_HOME") or "."))
    speak(wanted if wanted in _LANGUAGES else "auto")
    if is_chinese():
        gettext.bindtextdomain("qws", catalogue_folder())
        os.environ["LANGUAGE"] = "zh_CN"
    gettext.textdomain("qws" if is_chinese() else "messages")


def _home(arguments: Sequence[str]) -> str:
    for at, each in enumerate(arguments):
        if each == "--home":
            return arguments[at + 1] if at + 1 < len(arguments) else ""
        if each.startswith("--home="):
            return each.partition("=")[2]
    return ""


def _setting(home: Path) -> str:
    """Only the one key: the whole configuration takes longer to read than a status query may, and may be faulty."""
    try:
        found = tomllib.loads((home / "config" / "qws.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return "auto"
    return str(found.get("language", "auto"))


def first_paragraph(command: click.Command) -> str:
    """What a command does, on one line."""
    return " ".join((command.help or "").partition("\n\n")[0].split())


class Formatter(click.HelpFormatter):
    """Help in the chosen language, wrapped by how wide characters are."""

    def write_heading(self, heading: str) -> None:
        """A heading."""
        super().write_heading(localised(heading))

    def write_text(self, text: str) -> None:
        """Paragraphs."""
        if is_chinese():
            said = [localised(" ".join(each.split())) for each in re.split(r"\n\s*\n", text)]
            text = "\n\n".join(_wrapped(each, self.width - self.current_indent - 2) for each in said)
        indent, space = " " * self.current_indent, max(self.width - self.current_indent, 11)
        self.write(wrap_text(text, space, indent, indent, preserve_paragraphs=True) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Names and their meanings."""
        rows = list(rows)
        if is_chinese():
            first = min(max((len(name) for name, _ in rows), default=0), col_max) + col_spacing
            space = max(self.width - first - self.current_indent - 2, 10)
            rows = [(name, _wrapped(_meaning(text), space)) for name, text in rows]
        super().write_dl(rows, col_max, col_spacing)


class Context(click.Context):
    """Of every command."""

    formatter_class = Formatter


def _meaning(text: str) -> str:
    said, bracket, rest = text.partition("  [")
    return localised(" ".join(said.split())) + bracket + rest


def _wrapped(text: str, space: int) -> str:
    """Lines no wider than `space`, marked so that click leaves them alone."""
    lines: list[str] = []
    line = ""
    for part in re.findall(r"\uff08?(?:[\u3000-\u9fff\uff00-\uffef]|[^\s\u3000-\u9fff\uff00-\uffef]+)|\s+", text):
        is_end = part in "\uff0c\u3002\uff1b\uff1a\u3001\uff09"  # never begins a line
        if line and width(line + part) > space and not is_end:
            lines, line = [*lines, line.rstrip()], part.lstrip()
        else:
            line += part
    return "\b\n" + "\n".join([*lines, line])
