from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.calendar import AlwaysOpenCalendar
from qws.errors import ConfigError
from qws.gateways.sim.bars import GeneratedBars, price_tick
from qws.gateways.sim.files import FileBars
from qws.tables import load_calendar, load_rules
from tests.gateways.sim_rig import DAY

SHARED = Path(os.environ.get("QWS_SHARED", Path(__file__).parents[2].parent / "shared"))
REAL_PRICES = SHARED / "data" / "csi300_daily_2017_2022.parquet"
REAL_INDEXES = SHARED / "data" / "index_daily_2018_2026.parquet"
CODES = st.sampled_from(["600000.SH", "000001.SZ", "300750.SZ", "688981.SH", "920002.BJ", "510300.SH", "159915.SZ"])
SESSIONS = st.dates(date(2022, 1, 1), date(2026, 11, 20)).map(lambda day: load_calendar().next_session(day))


@settings(max_examples=300)
@given(st.integers(0, 10**9), CODES, SESSIONS)
def test_a_generated_bar_is_a_bar_inside_the_daily_limits(seed: int, code: str, day: date) -> None:
    bar = GeneratedBars(seed, load_calendar()).bar(code, day)

    assert bar is not None
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert all(price % price_tick(code) == 0 for price in (bar.open, bar.high, bar.low, bar.close, bar.prev_close))
    limits = load_rules().instrument(code, day, bar.prev_close)
    assert limits.limit_up is not None
    assert limits.limit_down is not None
    assert limits.limit_down <= bar.low
    assert bar.high <= limits.limit_up


@given(st.integers(0, 10**9), CODES, SESSIONS)
def test_the_previous_close_is_the_close_of_the_session_before(seed: int, code: str, day: date) -> None:
    bars = GeneratedBars(seed, load_calendar())
    today, before = bars.bar(code, day), bars.bar(code, load_calendar().previous_session(day))

    assert today is not None
    assert before is not None
    assert today.prev_close == before.close == bars.last_close(code, day)


def test_generated_prices_look_like_the_market() -> None:
    bars = GeneratedBars(1, load_calendar())
    today = [bar for code in bars.codes(DAY) if (bar := bars.bar(code, DAY)) is not None]
    days = [DAY - timedelta(days=back) for back in range(200)]
    moves = [
        float(bar.close / bar.prev_close - 1)
        for day in days
        if load_calendar().is_session(day)
        for code in bars.codes(day)[:20]
        if (bar := bars.bar(code, day)) is not None
    ]

    assert len(today) == 300
    assert 9 < median(bar.close for bar in today) < 18
    assert 0.012 < pstdev(moves) < 0.018
    assert 0.02 < median(bar.high / bar.low - 1 for bar in today) < 0.04


def test_the_order_of_questions_does_not_change_the_answers() -> None:
    forward, backward = GeneratedBars(3, AlwaysOpenCalendar()), GeneratedBars(3, AlwaysOpenCalendar())
    days = [DAY + timedelta(days=ahead) for ahead in range(60)]

    there = [forward.bar("600519.SH", day) for day in days]
    back = [backward.bar("600519.SH", day) for day in reversed(days)]

    assert there == back[::-1]


def test_an_index_has_a_level_and_nonsense_has_none() -> None:
    bars = GeneratedBars(1, load_calendar())
    level = bars.bar("000300.SH", DAY)

    assert level is not None
    assert 3000 < level.close < 4000
    assert bars.bar("999999.SH", DAY) is None
    assert not bars.is_known("110000.SH")
    assert bars.last_close("nonsense", DAY) is None


def a_csv(folder: Path, *rows: str) -> Path:
    path = folder / "prices.csv"
    path.write_text("\n".join(["date,stock_code,open,high,low,close", *rows, ""]), encoding="utf-8")
    return path


def test_a_file_is_read_and_dirty_floats_are_put_on_tick(tmp_path: Path) -> None:
    bars = FileBars(
        a_csv(
            tmp_path,
            "2026-11-18,000001.SZ,8.9,9.0,8.8,8.950000000000001",
            "20261119,000001.SZ,9,9.2,8.999999999,9.1",
            "2026-11-19,510300.SH,3.957,3.96,3.95,3.9579999",
        )
    )
    bar, fund = bars.bar("000001.SZ", DAY), bars.bar("510300.SH", DAY)

    assert bars.problems == ()
    assert bar is not None
    assert (bar.low, bar.prev_close) == (Decimal("9.00"), Decimal("8.95"))
    assert fund is not None
    assert fund.close == Decimal("3.958")
    assert bars.codes(DAY) == ("000001.SZ", "510300.SH")
    assert bars.last_close("000001.SZ", DAY) == Decimal("8.95")
    assert bars.last_close("510300.SH", DAY) is None


def test_a_hole_is_a_missing_day_and_the_close_before_it_stays(tmp_path: Path) -> None:
    bars = FileBars(a_csv(tmp_path, "2026-11-17,000001.SZ,9,9,9,9", "2026-11-20,000001.SZ,8,8,8,8"))
    after = bars.bar("000001.SZ", date(2026, 11, 20))

    assert bars.bar("000001.SZ", DAY) is None
    assert bars.is_known("000001.SZ")
    assert bars.last_close("000001.SZ", DAY) == 9
    assert after is not None
    assert after.prev_close == 9
    assert not bars.is_known("000002.SZ")


@pytest.mark.parametrize(
    "row",
    [
        "2026-11-19,000001.SZ,,9,9,9",
        "2026-11-19,000001.SZ,nan,9,9,9",
        "2026-11-19,000001.SZ,0,9,0,9",
        "2026-11-19,000001.SZ,9,9,-9,9",
        "2026-11-19,000001.SZ,9,8,9,9",
        "2026-11-19,000001.SZ,9,9,9,9.5",
        "2026-11-19,000001.SZ,inf,inf,9,9",
        "19.11.2026,000001.SZ,9,9,9,9",
        "2026-11-18,000001.SZ,9,9,9,9",
    ],
)
def test_a_row_that_is_no_bar_counts_as_missing_and_is_named(tmp_path: Path, row: str) -> None:
    bars = FileBars(a_csv(tmp_path, "2026-11-18,000001.SZ,8,8,8,8", row, "2026-11-17,000001.SZ,7,7,7,7"))

    assert bars.bar("000001.SZ", DAY) is None
    assert any("row 2" in problem for problem in bars.problems)
    before = bars.last_close("000001.SZ", DAY)
    assert before == (7 if row.startswith("2026-11-18") else 8)


def test_a_file_may_tell_the_reference_price_the_warning_and_the_day_of_listing(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    rows = (
        "2026-11-18,000001.SZ,8,8,8,8,,,",
        "2026-11-19,000001.SZ,7.5,7.6,7.4,7.5,7.500000001,1,",
        "2026-11-19,000002.SZ,20,22,19,21,15,0,1",
        "2026-11-20,000002.SZ,21,22,20,21,,,2",
    )
    header = "date,stock_code,open,high,low,close,prev_close,st,listing_day"
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    found = {
        (code, day): (bar.prev_close, bar.is_reference, bar.st, bar.listing_day)
        for source in (FileBars(path), FileBars(a_parquet(tmp_path, path)))
        for code, day in (("000001.SZ", DAY), ("000002.SZ", DAY), ("000002.SZ", DAY + timedelta(days=1)))
        if (bar := source.bar(code, day)) is not None
    }

    assert found == {
        ("000001.SZ", DAY): (Decimal("7.50"), True, True, None),
        ("000002.SZ", DAY): (Decimal("15.00"), True, False, 1),
        ("000002.SZ", DAY + timedelta(days=1)): (Decimal("21.00"), False, False, 2),
    }


def a_parquet(folder: Path, source: Path) -> Path:
    from pyarrow import csv, parquet

    parquet.write_table(csv.read_csv(source), folder / "prices.parquet")
    return folder / "prices.parquet"


def test_the_first_bar_of_a_file_is_no_listing(tmp_path: Path) -> None:
    first = FileBars(a_csv(tmp_path, "2026-11-19,000001.SZ,9,9,9,9")).bar("000001.SZ", DAY)

    assert first is not None
    assert (first.listing_day, first.st, first.is_reference) == (None, False, False)


def test_the_list_of_problems_is_bounded(tmp_path: Path) -> None:
    bars = FileBars(a_csv(tmp_path, *(f"2026-11-19,{number:06d}.SZ,0,0,0,0" for number in range(1, 500))))

    assert len(bars.problems) < 50
    assert "more" in bars.problems[-1]
    assert bars.codes(DAY) == ()


def test_a_file_without_the_columns_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("date,stock_code,open,close\n2026-11-19,000001.SZ,9,9\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="high, low"):
        FileBars(path)
    with pytest.raises(ConfigError, match="no such file"):
        FileBars(tmp_path / "absent.parquet")
    with pytest.raises(ConfigError, match="prices"):
        FileBars(a_csv(tmp_path, "2026-11-19,000001.SZ,nine,9,9,9"))


def test_the_real_prices_load_fast_and_small() -> None:
    if not REAL_PRICES.is_file():
        pytest.skip(f"{REAL_PRICES.name} is not here")
    script = (
        "import sys, time, psutil, pyarrow.parquet\n"
        "from pathlib import Path\n"
        "from qws.gateways.sim.files import FileBars\n"
        "start = time.perf_counter()\n"
        f"bars = FileBars(Path({str(REAL_PRICES)!r}))\n"
        "print(time.perf_counter() - start, psutil.Process().memory_info().rss >> 20,"
        " 'pandas' in sys.modules, len(bars.problems))\n"
    )

    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True).stdout

    seconds, megabytes, pandas, problems = shown.split()
    assert float(seconds) < 1
    assert int(megabytes) < 120
    assert (pandas, problems) == ("False", "0")


def test_the_real_index_file_is_a_benchmark() -> None:
    if not REAL_INDEXES.is_file():
        pytest.skip(f"{REAL_INDEXES.name} is not here")
    level = FileBars(REAL_INDEXES).bar("000300.SH", date(2018, 1, 2))

    assert level is not None
    assert level.close == Decimal("4087.40")
