"""Whatever the rows, the answer is a sound target or refusals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qws.domain.codes import classify
from qws.domain.market import Exchange, Kind
from qws.domain.targets import Cell, ParsedTarget
from tests.support.target_rows import DAY, HEADER, RULES, TODAY, parse

CODES = st.sampled_from(
    ["600519.SH", "sh600519", "000001", 1, 2594, "510300", "920002.BJ", "AAPL", "113050.SH", 600036]
)
CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.datetimes(),
    st.text(max_size=70),
    st.from_regex(r"[-+=@0-9.,%eE／５年/]{0,12}", fullmatch=True),
)
DATES = st.one_of(
    st.sampled_from([DAY, 20261124, 46349, "2026-11-20", "2026/11/25", "2026-11-28", "2027-01-04"]), CELLS
)
WEIGHTS = st.one_of(st.sampled_from(["0.1", "5%", 0.25, 0, "-0.1", 1]), st.floats(0, 1), CELLS)
TARGET_ROWS = st.lists(st.tuples(DATES, st.one_of(CODES, CELLS), WEIGHTS), max_size=8)
LIKELY_ROWS = st.lists(
    st.tuples(st.sampled_from([DAY, 20261124, "2026-11-20"]), CODES, st.floats(0, 0.3)), min_size=1, max_size=5
)


@given(lines=st.one_of(TARGET_ROWS, LIKELY_ROWS), header=st.one_of(st.just(HEADER), st.tuples(CELLS, CELLS, CELLS)))
def test_any_rows_give_a_sound_target_or_refusals(lines: list[tuple[Cell, ...]], header: tuple[Cell, ...]) -> None:
    parsed = parse(*lines, header=header)

    if isinstance(parsed, tuple):
        assert 0 < len(parsed) <= 20
        assert all(refusal.code and refusal.text.isprintable() for refusal in parsed)
        return
    read = sum(len(target.weights) for target in parsed.days) + len(parsed.dropped)
    assert read <= len(lines)
    assert [target.day for target in parsed.days] == sorted({target.day for target in parsed.days})
    for target in parsed.days:
        codes = [weight.code for weight in target.weights]
        assert target.day >= TODAY
        assert codes == sorted(set(codes))
        assert all(weight.weight >= 0 for weight in target.weights)
        assert 0 < sum(weight.weight for weight in target.weights) <= 1 + RULES.row_tolerance * len(target.weights)
        for code in codes:
            found = classify(code)
            assert found is not None
            assert found.exchange is not Exchange.BJ
            assert found.kind in {Kind.STOCK, Kind.CDR, Kind.ETF, Kind.LOF}


@given(lines=LIKELY_ROWS)
def test_every_row_is_kept_or_dropped_with_a_reason(lines: list[tuple[Cell, ...]]) -> None:
    parsed = parse(*lines)

    if isinstance(parsed, ParsedTarget):
        kept = sum(len(target.weights) for target in parsed.days)
        single = [dropped for dropped in parsed.dropped if dropped.reason != "past_date"]
        past = [line for line in lines if line[0] == "2026-11-20"]
        assert kept + len(single) + len(past) == len(lines)
