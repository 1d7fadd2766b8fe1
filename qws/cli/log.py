"""The log's tail; each look opens the file anew, because Windows renames no file that somebody holds."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from qws.cli.moments import moment_of
from qws.cli.options import home_option, json_option
from qws.cli.views import known_run
from qws.home import Home
from qws.store.parquet_file import pause
from qws.store.reading import Views

_LOOK_S = 0.2
_BLOCK_BYTES = 1 << 20
_LINES = 50
_AT_CHARACTERS = len("2026-11-23 09:30:00.000")
_FIELDS = ("at", "run", "id", "actor", "text")
_PLAIN = ("at", "level", "text")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: of this run, of this actor, naming this code, this grave or graver, not before; "" for any."""

    run: str = ""
    actor: str = ""
    code: str = ""
    level: str = ""
    since: str = ""

    def wants(self, line: str) -> bool:
        """Whether a line, of the text log or of its JSON twin, is to be shown."""
        if self == Wanted():
            return True
        if not (fields := fields_of(line)):
            return False
        level = fields.get("level", "")
        return (
            self.run in ("", fields.get("run"))
            and self.actor in ("", _name(fields.get("actor", "")))
            and self.code in fields.get("text", "")
            and (not self.level or (level in LEVELS and LEVELS.index(level) >= LEVELS.index(self.level)))
            and fields.get("at", "") >= self.since
        )


def _wanted(home: Home, run_id: str | None, actor: str, code: str, level: str | None, since: str | None) -> Wanted:
    run = known_run(Views(home.views), run_id) if run_id else ""
    at = f"{moment_of(since):%Y-%m-%d %H:%M:%S.%f}"[:_AT_CHARACTERS] if since else ""
    return Wanted(run, _name(actor), code.upper(), (level or "").upper(), at)


def _count(count: int | None, since: str | None) -> int:
    return count if count is not None else sys.maxsize if since else _LINES


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
@click.option("-n", "count", type=click.IntRange(min=0), help="The last N lines; default: 50, all with --since.")
@click.option("--run", "run_id", metavar="RUN", help="Of this run only: its id, how it begins, or `last`.")
@click.option("--actor", metavar="NAME", default="", help="Of this actor only.")
@click.option("--code", metavar="CODE", default="", help="Naming this code only.")
@click.option("--level", type=click.Choice(LEVELS, case_sensitive=False), help="As grave as this, or graver.")
@click.option("--since", metavar="TIME", help="Not before this time (of today, or ISO).")
@home_option
@json_option
@click.pass_context
def log(
    ctx: click.Context,
    home: Home,
    count: int | None,
    run_id: str | None,
    actor: str,
    code: str,
    level: str | None,
    since: str | None,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """Print the end of the log; with -f and --json, one JSON object a line."""
    wanted = _wanted(home, run_id, actor, code, level, since)
    pattern = "qws-*.jsonl" if as_json else "qws-*.log"
    lines, start = _tail(_files(home.logs, pattern), _count(count, since), wanted)
    if start is None and not follow:
        click.echo(f"no log in {home.logs} yet: `qws run` writes one", err=True)
    if as_json and not follow:
        click.echo(f"[{', '.join(line for line in lines if fields_of(line))}]")
    else:
        click.echo("".join(f"{line}\n" for line in lines), nl=False)
    if follow:
        try:
            for line in followed(home.logs, pattern, start, pause):
                if wanted.wants(line):
                    click.echo(line)
        except KeyboardInterrupt:
            return
    ctx.exit(1 if start is None else 0)


def followed(
    folder: Path, pattern: str, start: tuple[Path, int] | None, wait: Callable[[float], None]
) -> Iterator[str]:
    """Every whole line written after `start` (file and bytes), for ever, across the change to a newer file."""
    path, offset = start or (None, 0)
    rest = b""
    while True:
        files = _files(folder, pattern)
        block = _block(path, offset) if path else b""
        offset += len(block)
        *lines, rest = (rest + block).split(b"\n")
        yield from map(_text, lines)
        if block:
            continue
        newer = [each for each in files if path is None or each.name > path.name]
        older = [each for each in files if path is not None and each.name < path.name]
        if newer:  # listed before the last look at the old file, which was complete by then
            path, offset, rest = newer[0], 0, b""
        elif path and older and path.exists() and path.stat().st_size < offset:
            path = older[-1]  # a rotation by size has just renamed what was being read
        else:
            wait(_LOOK_S)


def _files(folder: Path, pattern: str) -> list[Path]:
    """The log files, oldest first: the date is in their names."""
    return sorted(folder.glob(pattern))


def _block(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(_BLOCK_BYTES)
    except FileNotFoundError:  # retention took it
        return b""


def _tail(files: list[Path], count: int, wanted: Wanted) -> tuple[list[str], tuple[Path, int] | None]:
    """The last wanted lines, from older files too when the newest has too few, and where the newest ends."""
    kept: list[str] = []
    start = None
    for path in reversed(files):
        found: deque[str] = deque(maxlen=count - len(kept))
        end = 0
        for line in _lines(path):
            end += len(line)
            if wanted.wants(text := _text(line[:-1])):
                found.append(text)
        kept = [*found, *kept]
        start = start or (path, end)
        if len(kept) >= count:
            break
    return kept, start


def _lines(path: Path) -> Iterator[bytes]:
    """The whole lines of a file; none when retention has just taken it."""
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))  # else it is just being written
    except FileNotFoundError:
        return


def last_lines(folder: Path, count: int) -> list[str]:
    """The last whole lines of the newest text log, of its last blocks only: the file may be large."""
    files = _files(folder, "qws-*.log")
    try:
        with files[-1].open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - _BLOCK_BYTES // 16, 0))
            lines = file.read().split(b"\n")
    except (IndexError, FileNotFoundError):
        return []
    begins = 1 if size > _BLOCK_BYTES // 16 else 0  # the first one may be cut
    return [_text(line) for line in lines[begins:-1][-count:]]


def _text(line: bytes) -> str:
    return line.decode("utf-8", errors="replace").rstrip("\r")


def fields_of(line: str) -> dict[str, str]:
    """The fields of a line; none for one that a crash cut."""
    if line.startswith("{"):
        try:
            return {name: str(value) for name, value in json.loads(line).items()}
        except ValueError:
            return {}
    parts = [part.strip() for part in line.split(" | ", maxsplit=len(_FIELDS) - 1)]
    if len(parts) > 1 and parts[1] in LEVELS:  # no message: a technical line
        return dict(zip(_PLAIN, (*parts[:2], " | ".join(parts[2:])), strict=True))
    if len(parts) < len(_FIELDS):
        return {}
    mark, colon, _ = parts[-1].partition(": ")
    return dict(zip(_FIELDS, parts, strict=True)) | {"level": mark if colon and mark in LEVELS else "INFO"}


def _name(actor: str) -> str:
    """`OrderExecutor` and `order_executor` are the same actor."""
    return actor.replace("_", "").lower()
