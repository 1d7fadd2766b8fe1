"""A target that is not full keeps its mode and expiry, in the archive and in the journal; older rows are full."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from qws.domain.targets import DayTarget, Mode
from qws.messages import TargetAccepted
from qws.store.archive import read_target
from qws.store.codec import decode, encode
from tests.store.test_archive import ACCEPTED, a_target
from tests.support import builders


def test_a_target_that_is_not_full_is_archived_with_its_mode_and_expiry(tmp_path: Path) -> None:
    path = a_target(tmp_path, mode="delta", expires_at=ACCEPTED, weights=(("600000.SH", Decimal("-0.10")),))

    found = read_target(path)

    assert (found.mode, found.expires_at, found.weights) == ("delta", ACCEPTED, (("600000.SH", Decimal("-0.10")),))
    assert a_target(tmp_path, mode="delta", expires_at=ACCEPTED, weights=found.weights) == path
    assert (read_target(a_target(tmp_path, target_id="t2")).mode, found.target_id) == ("full", "t1")


def test_a_journal_of_before_reads_as_full_targets_without_expiry() -> None:
    target = builders.a_target({"600000.SH": "0.5"})
    row = json.loads(encode(target))
    del row["unread"]
    for day in row["days"]:
        del day["mode"], day["expires_at"]

    assert decode("TargetAccepted", json.dumps(row)) == target


def test_sheets_that_were_not_read_survive_the_journal() -> None:
    target = replace(builders.a_target({"600000.SH": "0.5"}), unread=("备注", "Sheet2"))

    assert decode("TargetAccepted", encode(target)) == target


def test_mode_and_expiry_survive_the_journal() -> None:
    target = builders.a_target({"600000.SH": "-0.5"}, mode=Mode.DELTA, expires="14:00:00")

    read = decode("TargetAccepted", encode(target))

    assert isinstance(read, TargetAccepted)
    assert read == target
    assert isinstance(read.days[0], DayTarget)
    assert read.days[0].mode is Mode.DELTA
