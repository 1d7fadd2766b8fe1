"""`qws demo`: one accelerated paper day."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from random import Random
from typing import Any

import click

from qws.app import target_rules
from qws.cli.demo_report import result_of, show
from qws.cli.home import make_home
from qws.cli.options import print_json
from qws.config import Config, make_config
from qws.domain.codes import classify
from qws.domain.market import Kind
from qws.domain.targets import ParsedTarget, Refusal, parse_target
from qws.errors import ConfigError
from qws.gateways.files import FileLimits, read_rows
from qws.home import Home
from qws.log import LogTap, start_logging, stop_logging
from qws.messages import EquityRecorded, RunFinished, TargetRejected
from qws.pages import FilePages, page_language
from qws.runtime.clock import SHANGHAI, SystemClock
from qws.runtime.message import Envelope, Message
from qws.runtime.system import Tap
from qws.store.reading import Views
from qws.store.results import FileArchive
from qws.store.views import Projector
from qws.tables import load_calendar
from qws.text import describe
from qws.virtual import Stage, run_virtual

# A stable day, so that the same seed gives the same demo whenever it is run.
_DAY = date(2026, 9, 1)
_NAMES = 20
_SAMPLE = (
    *("600519.SH", "601318.SH", "600036.SH", "600900.SH", "601899.SH", "600276.SH", "601166.SH", "600030.SH"),
    *("600887.SH", "688981.SH", "000858.SZ", "000333.SZ", "002594.SZ", "000651.SZ", "300750.SZ", "300059.SZ"),
    *("002415.SZ", "300760.SZ", "000725.SZ", "002714.SZ"),
)


@click.command()
@click.option("--file", "file_", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Weight file.")
@click.option("--prices", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Daily bars.")
@click.option("--index", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Daily bars of indexes.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Trading day.")
@click.option("--cash", default="10000000", show_default=True, help="CNY at the start.")
@click.option("--positions", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Opening holdings.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--dir", "folder", type=click.Path(file_okay=False, path_type=Path), help="Keep the demo's home here.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def demo(ctx: click.Context, /, folder: Path | None, *, as_json: bool, **options: Any) -> None:
    """One accelerated paper day: a weight file becomes a rebalanced account; prints plan, orders, fills, result."""
    if folder is None and as_json:
        with tempfile.TemporaryDirectory(prefix="qws-demo-") as temporary:
            result, home = _play(Path(temporary), options)
    else:
        folder = folder or Path(tempfile.mkdtemp(prefix="qws-demo-"))
        result, home = _play(folder, options)
    if as_json:
        print_json(result)
    else:
        show(result, home)
    ctx.exit(0 if result["status"] == "completed" else 1)


def _play(folder: Path, options: dict[str, Any]) -> tuple[dict[str, Any], Home]:
    watch = SystemClock()
    began = watch.now()
    if (folder / "config").exists():
        raise ConfigError(f"{folder} already holds a home; name an empty folder")
    home = make_home(folder)
    is_own = any(options[name] for name in ("file_", "prices", "positions"))
    config = _config(options, "" if is_own else _hold_something(home))
    day = options["day"].date() if options["day"] else _day_of(options["file_"])
    _drop(home, config, day, options)
    start_logging(home, config.log, console=False)
    seen: list[Message] = []
    projector = Projector(home.views, describe)
    stage = Stage(
        home,
        config,
        datetime.combine(day, time(9, 20), SHANGHAI),
        FileArchive(home.archive, home.inbox / "results", home.equity),
        [lambda stop, paper: _until_closed(stop, seen), lambda stop, paper: projector.apply, lambda *_: LogTap()],
        in_memory=False,
        pages=FilePages(home.inbox / "results", page_language(config.language)),
    )
    try:
        _, virtual_s = run_virtual(stage)
    finally:
        stop_logging()
    projector.flush()
    projector.close()
    wall_s = (watch.now() - began).total_seconds()
    return result_of(Views(home.views), seen) | {"wall_seconds": round(wall_s, 3), "virtual_seconds": virtual_s}, home


def _config(options: dict[str, Any], opening: str) -> Config:
    def absolute(path: Path | None) -> str:
        return str(path.resolve()) if path else ""

    paper = {
        "seed": options["seed"],
        "cash": options["cash"],
        "positions": absolute(options["positions"]) or opening,
        "prices": absolute(options["prices"]),
        "index": absolute(options["index"]),
    }
    return make_config({"paper": paper}, "qws demo")


def _day_of(file: Path | None) -> date:
    """The first date that a weight file names, so that `--date` is needed only when the prices are of another day."""
    if file is None:
        return _DAY
    rows = read_rows(file.name, file.read_bytes(), FileLimits())
    if isinstance(rows, Refusal):
        return _DAY
    parsed = parse_target(rows, today=date.min, calendar=load_calendar(), rules=target_rules(Config(), FileLimits()))
    return parsed.days[0].day if isinstance(parsed, ParsedTarget) and parsed.days else _DAY


def _hold_something(home: Home) -> str:
    """An opening account with an odd lot, a name to leave, and one bought today: the demo must sell before it buys."""
    rows = ["600000.SH,60050,60050", "000001.SZ,80000,80000", "600519.SH,50000,50000", "601398.SH,800,0"]
    path = home.state / "opening.csv"
    path.write_text("\n".join(["stock_code,shares,sellable", *rows, ""]), encoding="utf-8")
    return str(path)


def _drop(home: Home, config: Config, day: date, options: dict[str, Any]) -> None:
    priced = _priced(options["prices"], day)
    if options["file_"] is not None:
        shutil.copyfile(options["file_"], home.inbox / options["file_"].name)
        return
    codes: list[str] = list(_SAMPLE)
    if options["prices"] is not None:
        known = [code for code in priced if _is_share(code)]
        codes = sorted(Random(f"{config.paper.seed}:demo").sample(known, min(_NAMES, len(known))))  # noqa: S311
    shares = [Random(f"{config.paper.seed}:{code}").uniform(1, 3) for code in codes]  # noqa: S311
    rows = [f"{day},{code},{share / sum(shares) * 0.95:.4f}" for code, share in zip(codes, shares, strict=True)]
    text = "\n".join(["date,stock_code,weight", *rows, ""])
    (home.inbox / "demo.csv").write_text(text, encoding="utf-8")


def _priced(prices: Path | None, day: date) -> tuple[str, ...]:
    """The codes with a price on `day`. Raises ConfigError when there is none, which would look like a bad day."""
    if prices is None:
        return ()
    from qws.gateways.sim.files import FileBars

    if not (codes := FileBars(prices).codes(day)):
        raise ConfigError(f"price file {prices.name} has no price on {day}; name another day with --date")
    return codes


def _is_share(code: str) -> bool:
    known = classify(code)
    return known is not None and known.kind is Kind.STOCK


def _until_closed(stop: Callable[[], None], seen: list[Message]) -> Tap:
    def tap(batch: Sequence[Envelope]) -> None:
        for envelope in batch:
            body = envelope.body
            if isinstance(body, (RunFinished, TargetRejected)):
                seen.append(body)
            if isinstance(body, TargetRejected) or (isinstance(body, EquityRecorded) and body.kind == "close"):
                stop()

    return tap
