"""`qws backup` and `qws restore`: one file that holds a home, and a home made of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from qws.cli.control import leave
from qws.cli.options import echo, home_option, json_option, print_json
from qws.config import Config, load_config
from qws.errors import StoreError
from qws.home import Home
from qws.keeping import HomeKeeper, backup_folder, summary
from qws.keeping import restore as restored
from qws.runtime.clock import SystemClock
from qws.store.backup import read_manifest
from qws.store.journal import InlineJournal
from qws.store.lock import HomeLock, is_held
from qws.store.parquet_file import pause
from qws.store.reading import answer_of, withdraw

T = TypeVar("T")
_LOOK_S = 0.1
_PATIENCE_S = 3600.0


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@home_option
@json_option
def backup(home: Home, file: Path | None, *, as_json: bool) -> None:
    """Write everything that is worth keeping to FILE, one verified zip; by default into the folder of backups.

    Journal, archives, settings, filed weight files and results, the paper account. Never the arming.
    """
    config = load_config(home.config_file)
    out = _named(home, config, file)
    text = make_backup(home, config, out)
    if as_json:
        manifest = read_manifest(out)
        print_json({"file": str(out), "head": manifest.head, "text": text})
    else:
        echo(f"backup: {text}")


def make_backup(home: Home, config: Config, out: Path) -> str:
    """Have the daemon write a backup, or write it here when none runs; says what was written. Raises StoreError."""
    if is_held(home.lock):
        return _asked(home, out)
    with HomeLock(home.lock):
        return asyncio.run(_here(home, config, out))


async def _here(home: Home, config: Config, out: Path) -> str:
    journal = await InlineJournal.open(home.journal)
    try:
        return await HomeKeeper(home, config, journal, SystemClock(), _inline).back_up(str(out))
    except OSError as error:
        raise StoreError(f"{error.filename or out}: {error.strerror or error}; nothing was kept") from error
    finally:
        await journal.close()


async def _inline(call: Callable[[], T], /) -> T:
    return call()


def _asked(home: Home, out: Path) -> str:
    id_, answer = leave(home, "backup", str(out)), None
    try:
        for _ in range(round(_PATIENCE_S / _LOOK_S)):
            answer = answer_of(home.views, id_)
            if answer is not None or not is_held(home.lock):
                break
            pause(_LOOK_S)
    finally:
        if answer is None:
            withdraw(home.views, id_)
    if answer is None:
        raise StoreError("the daemon ended or did not answer; the backup was withdrawn, call it again")
    verdict, _, text = answer.partition(": ")
    if verdict != "accepted":
        raise StoreError(answer)
    return text


def _named(home: Home, config: Config, file: Path | None) -> Path:
    name = f"qws-{SystemClock().now():%Y-%m-%d-%H%M%S}.zip"
    out = (file or backup_folder(home, config)).resolve()
    if file is None or out.is_dir():
        return out / name
    if out.exists():
        raise StoreError(f"{out} exists already; name another file")
    if not out.parent.is_dir():
        raise StoreError(f"{out.parent} is no folder; make it, or name another one")
    return out


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def restore(file: Path, folder: Path, *, as_json: bool) -> None:
    """Make FOLDER, which is new or empty, the home that FILE holds; it is not armed, and trading is halted in it."""
    target = folder.resolve()
    try:
        manifest, problem = restored(file.resolve(), target, SystemClock())
    except OSError as error:
        raise StoreError(f"{error.filename or target}: {error.strerror or error}; nothing was restored") from error
    config = load_config(Home(target).config_file)
    if as_json:
        document = {"home": str(target), "head": manifest.head, "made_at": manifest.made_at, "halted": True}
        print_json({**document, "audit": problem})
        return
    echo(f"restored: {target}, as of {manifest.made_at}: {summary(manifest)}")
    if problem:
        echo(f"LOOK: the journal was altered before this backup was made: {problem}")
    if not (target / config.inbox).is_relative_to(target):
        echo(f"LOOK: it watches the same inbox as the original: {config.inbox}; change `inbox` before you start it")
    if config.paper.exchange:
        echo(f"LOOK: it trades at the same paper exchange as the original: {config.paper.exchange}")
    if config.mode == "live":
        echo("it is not armed, and one home trades an account: end the original for good before you arm this one")
    echo(f"trading is halted in it; look at it (`qws recover --dry-run --home {target}`), start it, then `qws resume`")
