"""The commands. Each is imported only when it is asked for: a status query must not load what it does not need."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from qws.cli.tongue import Context, choose_language, first_paragraph
from qws.errors import QwsError
from qws.language import is_chinese
from qws.masking import discreet
from qws.sentences import localised

# command -> (module, one line of help)
COMMANDS = {
    "demo": ("qws.cli.demo", "One accelerated paper day, from a weight file to a rebalanced account."),
    "init": ("qws.cli.home", "Make a runnable home: config, inbox, state, logs."),
    "arm": ("qws.cli.arm", "Confirm that this home may trade real money; once, and after a change of settings."),
    "run": ("qws.cli.run", "The daemon: watch the inbox, trade, record."),
    "exchange": ("qws.cli.exchange", "The paper exchange as a process of its own; the daemon may die while it lives."),
    "check": ("qws.cli.check", "Check config, tables, folders and clock; also called doctor."),
    "doctor": ("qws.cli.check", "The same as check."),
    "conformance": ("qws.cli.conformance", "Does the live terminal do what is expected of every broker? Card by card."),
    "plan": ("qws.cli.plan", "Preview what a weight file would trade; sends nothing."),
    "status": ("qws.cli.views", "State, account, actors, last run."),
    "runs": ("qws.cli.views", "Every run and its result."),
    "trace": ("qws.cli.views", "Why: file row, plan row, order, fills of one run."),
    "targets": ("qws.cli.targets", "Every weight file and what became of it; `targets diff` compares two."),
    "orders": ("qws.cli.views", "Orders."),
    "fills": ("qws.cli.views", "Fills."),
    "positions": ("qws.cli.views", "Holdings."),
    "equity": ("qws.cli.equity", "The equity record, as table, PNG or HTML."),
    "report": ("qws.cli.report", "Tear sheet of a period: returns, risk, flows, execution; HTML, PNG, JSON."),
    "rules": ("qws.cli.rules", "Every risk rule with your limit; `rules demo` shows each one accept and refuse."),
    "quality": ("qws.cli.quality", "How well runs traded: slippage, spread, fill ratio, time to fill, fees."),
    "top": ("qws.cli.top", "Everything at a glance, live; q ends it."),
    "log": ("qws.cli.log", "The log; -f follows it, by run, code, actor, level or time."),
    "events": ("qws.cli.events", "The journal's messages, one line each; --json for programs, --follow goes on."),
    "reconcile": ("qws.cli.reconcile", "Did the day's books and the broker's lists say the same?"),
    "halt": ("qws.cli.control", "Stop trading until resume; cancels what works."),
    "resume": ("qws.cli.control", "Trade again after a halt, and buy again after reduce-only."),
    "reduce-only": ("qws.cli.control", "Sell only, until resume."),
    "approve": ("qws.cli.control", "Let a held plan go."),
    "reject": ("qws.cli.control", "End the run of a held plan; nothing of it is sent."),
    "cancel": ("qws.cli.control", "Cancel every working order of ours (--all)."),
    "rebalance": ("qws.cli.control", "Run today's newest target again."),
    "settle": ("qws.cli.control", "Say what became of an order that nobody could tell."),
    "alerts": ("qws.cli.alerts", "What a person should have heard of; `alerts ack ID` acknowledges."),
    "notify": (
        "qws.cli.notify",
        "`notify test [CHANNEL]` sends a test message; `notify demo` shows every kind at work.",
    ),
    "recover": ("qws.cli.recover", "What the next start would do after a kill (--dry-run); changes nothing."),
    "backup": ("qws.cli.backup", "One verified zip of everything, beside a running daemon too."),
    "restore": ("qws.cli.backup", "Make a new home of a backup; not armed, and halted."),
    "audit": ("qws.cli.audit", "Is the journal as it was written? (audit verify)"),
    "compact": ("qws.cli.compact", "Move old months of the journal into verified Parquet files."),
    "export": ("qws.cli.export", "Orders, fills, positions, equity or the target as CSV, in UTF-8 or GBK."),
    "replay": ("qws.cli.replay", "Simulated days over a price file, through the same actors."),
    "topology": ("qws.cli.topology", "Who tells whom, as a Mermaid diagram."),
}


class _Lazy(click.Group):
    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        command.context_class = Context
        for each in command.commands.values() if isinstance(command, click.Group) else ():
            each.context_class = Context
            each.short_help = localised(first_paragraph(each)) if is_chinese() else None  # click would cut it
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        choose_language(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            vars(error)["message"] = localised(error.message)  # before click shows it
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="qws")
def cli() -> None:
    """Make a brokerage account hold what a weight file says it should hold.

    Exit codes: 0 done, 1 refused or incomplete, 2 usage or configuration, 3 broken environment.
    """


def main() -> None:
    """Run a command; what the program itself refuses is one clear line and an exit code."""
    if not __debug__:
        sys.exit("python -O strips the checks that guard money: run without it")
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(encoding="utf-8", errors="replace")
    try:
        cli.main(standalone_mode=True)
    except QwsError as error:
        click.echo(f"qws: {localised(discreet(str(error)))}", err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, BaseExceptionGroup) as error:
        if not _is_interrupt(error):
            raise
        click.echo(localised("qws: interrupted"), err=True)
        sys.exit(130)


def _is_interrupt(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(KeyboardInterrupt) is not None
    return isinstance(error, KeyboardInterrupt)
