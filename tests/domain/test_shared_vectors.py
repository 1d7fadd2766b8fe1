from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.vectors.__main__ import check

SHARED = Path(os.environ.get("QWS_SHARED") or Path(__file__).parents[2].parent / "shared")
VECTORS = SHARED / "vectors" / "rules_vectors.json"


def a_document(groups: dict[str, object]) -> dict[str, object]:
    return {"as_of": "2026-11-20", "groups": groups}


@pytest.mark.skipif(not VECTORS.is_file(), reason="no shared rule vectors beside the repository: set QWS_SHARED")
def test_every_shared_rule_vector_comes_out_as_written() -> None:
    passed, differences = check(json.loads(VECTORS.read_text(encoding="utf-8")))

    assert differences == ()
    assert passed > 0


def test_a_vector_that_differs_is_reported_with_what_came_out() -> None:
    vector = {"id": "x-1", "in": {"code": "600519.SH"}, "out": {"board": "SZ_MAIN"}}

    passed, differences = check(a_document({"classify": {"vectors": [vector]}}))

    assert (passed, [(d.group, d.name, d.got) for d in differences]) == (
        0,
        [("classify", "x-1", {"exchange": "SH", "board": "SH_MAIN", "type": "stock"})],
    )


def test_a_group_that_is_not_known_fails() -> None:
    vector: dict[str, object] = {"id": "x-1", "in": {}, "out": None}

    passed, differences = check(a_document({"horoscope": {"vectors": [vector]}}))

    assert (passed, [d.got for d in differences]) == (0, ["unknown group horoscope"])


def test_decimal_strings_are_compared_as_numbers() -> None:
    given = {"prev_close": "10", "cash_per_share": "0.5", "bonus_per_share": "0"}
    given |= {"rights_price": "0", "rights_per_share": "0"}
    vectors = [{"id": n, "in": given, "out": {"reference_price": n}} for n in ("9.5", "9.50", "9.51")]

    passed, differences = check(a_document({"ex_rights_reference": {"vectors": vectors}}))

    assert (passed, [d.name for d in differences]) == (2, ["9.51"])
