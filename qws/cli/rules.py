"""`qws rules`: every rule between a target and its orders, with this home's limits; `qws rules demo` plays them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import click

from qws.cli.daemon_state import settings_change
from qws.cli.options import echo, json_option, print_json
from qws.cli.table import Column, table
from qws.config import Config, load_config
from qws.config_risk import LOSS_EFFECTS
from qws.domain.risk.catalogue import KINDS, LOSSES
from qws.domain.risk.rule import Effect
from qws.home import Home, find_home
from qws.language import _, speak, translated
from qws.rule_examples import EXAMPLES, Example
from qws.runtime.clock import SystemClock
from qws.store.reading import Record, Views
from qws.words import N_

_COLUMNS = ("rule", "setting", "limit", "unit", "then", "today")
_OUTCOMES = (N_("pass"), N_("veto"), N_("hold"), N_("shrink"), N_("scale"), N_("wait"), N_("cap"))
_UNITS = (N_("CNY"), N_("names"), N_("orders"))
_STOPS = (
    ("stop_loss", "stop_loss", "below the average cost"),
    ("take_profit", "take_profit", "above the average cost"),
    ("trailing_atr", "trailing_stop", "ATR(14) below the highest price"),
)


@click.group(invoke_without_command=True)
@click.option("--home", "folder", metavar="DIR", help="The home; default: QWS_HOME, or the present folder.")
@json_option
@click.pass_context
def rules(ctx: click.Context, folder: str | None, *, as_json: bool) -> None:
    """Every rule: what it limits, your limit, what a breach leads to, and how often that was so today.

    `today` counts names and runs of today's runs with the rule as reason; of day_orders it is the day's orders.
    """
    if ctx.invoked_subcommand is not None:
        return
    home = find_home(folder)
    config = load_config(home.config_file)
    speak(config.language)
    rows = list(_rows(config, _counted(home, SystemClock().now().date())))
    change = settings_change(home, Views(home.views))
    if as_json:
        changed_at = change and change.changed_at.isoformat()
        print_json([{**row, "settings_changed_at": changed_at} for row in rows])
        return
    cells = [[_("off") if name == "limit" and not row["on"] else row[name] for name in _COLUMNS] for row in rows]
    echo(table([Column("your_limit" if name == "limit" else name) for name in _COLUMNS], cells))
    if change:
        echo(f"{change.text}; {change.remedy}")


@rules.command()
@click.argument("rule", required=False)
@json_option
@click.pass_context
def demo(ctx: click.Context, rule: str | None, *, as_json: bool) -> None:
    """Play RULE, or every rule: an example that it lets pass and one that it does not; exit 1 when one does otherwise.

    The examples go through the rules themselves. Needs no home, sends nothing.
    """
    found = [each for each in EXAMPLES if rule in (None, each.rule)]
    if not found:
        known = ", ".join(dict.fromkeys(each.rule for each in EXAMPLES))
        raise click.UsageError(f"no rule {rule}; there are: {known}")
    played = [_play(each) for each in found]
    if as_json:
        print_json(played)
    for each in () if as_json else played:
        echo(f"{'ok' if each['ok'] else 'FAILED'}  {each['rule']}: {each['limit']}")
        for side in ("within", "beyond"):
            echo(f"      {translated(str(each[side]))}: {each[f'{side}_text']}")
    ctx.exit(0 if all(each["ok"] for each in played) else 1)


def _play(example: Example) -> dict[str, object]:
    (within, within_text), (beyond, beyond_text) = example.within(), example.beyond()
    return {
        "rule": example.rule,
        "limit": example.limit,
        "expected": example.outcome,
        "within": within,
        "within_text": within_text,
        "beyond": beyond,
        "beyond_text": beyond_text,
        "ok": (within, beyond) == ("pass", example.outcome),
    }


def _rows(config: Config, today: Counter[str]) -> Iterator[Record]:
    risk, stops = config.risk, config.stops
    for kind in KINDS:
        limit = Decimal(getattr(risk, kind.setting)) if kind.setting else None
        effect = kind.effect if kind.id not in LOSSES else LOSS_EFFECTS[risk.loss_then]
        then = "hold" if kind.id in risk.hold else str(effect)
        setting = f"risk.{kind.setting}" if kind.setting else ""
        yield _rule_row(kind.id, setting, limit, kind.unit, then, today[kind.id])
        if kind.id == "reduce_only":
            listed = Decimal(len(risk.no_buys | risk.no_trades))
            settings = "risk.no_buys, risk.no_trades"
            yield _rule_row("restricted", settings, listed, "names", str(Effect.SHRINK), today["restricted"])
    second = Decimal(risk.second_orders_max)
    yield _rule_row("second_orders", "risk.second_orders_max", second, "orders and cancels a second", "wait", 0)
    for setting, rule, unit in _STOPS:
        yield _rule_row(rule, f"stops.{setting}", Decimal(getattr(stops, setting)), unit, "cap", today[rule])


def _rule_row(rule: str, setting: str, limit: Decimal | None, unit: str, then: str, today: int) -> Record:
    shown = None if limit is None else f"{limit.normalize():f}"
    return {"rule": rule, "setting": setting, "on": limit is None or limit > 0, "limit": shown, "unit": unit,
            "then": then, "today": today}  # fmt: skip


def _counted(home: Home, today: date) -> Counter[str]:
    """How often each rule was the reason today: of a run, of a name; of day_orders, the orders themselves."""
    views, counts = Views(home.views), Counter[str]()
    runs = [run for run in views.runs() if run["day"] == today.isoformat()]
    for run in runs:
        counts.update([str(run["reason"]), *(str(each["reason"]) for each in views.outcomes(str(run["run_id"])))])
        counts["day_orders"] += len(views.orders(str(run["run_id"])))
    return counts
