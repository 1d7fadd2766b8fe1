"""`qws rules` and `qws rules demo`: every rule with its limit, and every rule at work."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner, Result

from qws.cli import cli
from qws.config_risk import RiskSection
from qws.domain.risk.catalogue import HOLDABLE, KINDS, LOSSES
from qws.domain.risk.rule import Effect
from qws.home import Home
from qws.rule_examples import EXAMPLES, Example
from tests.cli.rig import call


def demonstrated(*words: str) -> Result:
    """What the command says, without any home."""
    return CliRunner().invoke(cli, ["rules", "demo", *words])


def test_every_rule_of_the_catalogue_has_an_example_of_each_of_its_outcomes() -> None:
    shown = {(each.rule, each.outcome) for each in EXAMPLES}
    losses = {(rule, str(effect)) for rule in LOSSES for effect in (Effect.SHRINK, Effect.SCALE, Effect.HALT)}

    assert {(kind.id, str(kind.effect)) for kind in KINDS} | losses <= shown
    assert {rule for rule, outcome in shown if outcome == "hold"} <= set(HOLDABLE)
    assert {"restricted", "second_orders", "stop_loss", "take_profit", "trailing_stop"} <= {rule for rule, _ in shown}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.name)
def test_an_example_is_let_pass_within_the_limit_and_not_beyond_it(example: Example) -> None:
    assert (example.within()[0], example.beyond()[0]) == ("pass", example.outcome)


def test_the_demonstration_needs_no_home_and_fails_where_a_rule_does_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = json.loads(demonstrated("turnover", "--json").output)
    assert [(each["rule"], each["within"], each["beyond"]) for each in told] == [
        ("turnover", "pass", "veto"),
        ("turnover", "pass", "hold"),
    ]
    first = EXAMPLES[0]
    broken = replace(first, beyond=first.within)
    monkeypatch.setattr("qws.cli.rules.EXAMPLES", (broken,))

    found = demonstrated()

    assert found.exit_code == 1
    assert "FAILED" in found.output


def test_an_unknown_rule_is_refused_with_the_names_of_all() -> None:
    found = demonstrated("nonsense")

    assert found.exit_code == 2
    assert "turnover" in found.output


def test_every_limit_is_shown_as_it_is_set(home: Home) -> None:
    text = home.config_file.read_text(encoding="utf-8")
    home.config_file.write_text(
        text.replace("turnover_max = 2.05", "turnover_max = 0.3").replace("hold = []", 'hold = ["turnover"]'),
        encoding="utf-8",
    )

    told = call(home, "rules", "--json").json
    assert isinstance(told, list)
    rows = {each["rule"]: each for each in told}

    assert (rows["turnover"]["limit"], rows["turnover"]["then"], rows["turnover"]["on"]) == ("0.3", "hold", True)
    assert not rows["drawdown"]["on"]
    shown = {each["setting"].removeprefix("risk.") for each in rows.values()}
    assert {name for name in RiskSection.model_fields if name.endswith(("_max", "_min"))} <= shown
    assert "turnover" in call(home, "rules").out
