"""`qws notify demo`: every kind of channel at work, against services inside the process."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from qws.cli import cli
from qws.cli.notify_demo import KINDS
from qws.gateways.notify.robots import DIALECTS


def demonstrated(*words: str) -> Result:
    return CliRunner().invoke(cli, ["notify", "demo", *words])


def test_every_kind_there_is_is_taken_and_when_refused_tried_again_and_told_by_another_channel() -> None:
    found = demonstrated("--json")

    told = json.loads(found.output)
    assert found.exit_code == 0
    assert [each["kind"] for each in told] == list(KINDS)
    assert set(KINDS) == {*DIALECTS, "smtp"}
    for each in told:
        steps = [(step["by"], step["outcome"]) for step in each["steps"]]
        kind = each["kind"]
        assert steps == [(kind, "taken"), (kind, "refused"), (kind, "refused"), ("spare", "taken")]
        assert f"instead of {kind}" in each["steps"][-1]["text"]


def test_what_did_not_arrive_as_it_should_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qws.cli.notify_demo._NO", "{}")  # a webhook that answers this has taken it

    found = demonstrated("webhook")

    assert found.exit_code == 1
    assert found.output.startswith("FAILED  webhook")
