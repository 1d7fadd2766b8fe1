from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from pathlib import Path

import pytest

from qws.domain.dated import Dated, Term
from qws.domain.fees import FeePlan
from qws.domain.market import Side
from qws.errors import ConfigError
from qws.tables import load_calendar, load_rules

DAY = date(2026, 9, 1)
PLAN = FeePlan(D(0), D(0), True)


def folder(tmp_path: Path, name: str, text: str) -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_shipped_tables_are_read_once() -> None:
    assert load_rules() is load_rules()
    assert load_calendar() is load_calendar()


def test_a_folder_without_tables_changes_nothing(tmp_path: Path) -> None:
    assert load_rules(tmp_path) == load_rules()
    assert load_calendar(tmp_path) == load_calendar()


def test_a_calendar_of_the_user_adds_closures_and_moves_the_horizon(tmp_path: Path) -> None:
    text = "known_until = 2027-12-31\n[closed]\n2026 = [2026-11-23]\n2027 = [2027-01-01]\n"

    calendar = load_calendar(folder(tmp_path, "calendar.toml", text))

    days = (date(2026, 10, 1), date(2026, 11, 23), date(2027, 1, 1), date(2027, 1, 4))
    assert [calendar.is_session(day) for day in days] == [False, False, False, True]


def test_a_fee_table_of_the_user_replaces_the_fees_it_names(tmp_path: Path) -> None:
    text = "[[stamp_duty]]\nexchanges = ['SH']\nkinds = ['stock']\nfrom = 2026-01-01\nrate = '0.002'\nside = 'both'\n"

    fees = load_rules(folder(tmp_path, "fees.toml", text)).fees

    line = fees.fees_of("600519.SH", Side.BUY, DAY, D(10_000), PLAN)
    assert (line.stamp_duty, line.transfer_fee) == (D("20.00"), D("0.10"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("fees.toml", "[[stamp_dut]]\n", "unknown key stamp_dut"),
        ("fees.toml", "stamp_duty = 3\n", "must be a list"),
        ("fees.toml", "stamp_duty = [3]\n", "must be a list of tables"),
        ("fees.toml", "[[stamp_duty]]\nkinds = ['stock']\n", "exchanges is missing"),
        ("fees.toml", "nonsense", "not a TOML file"),
        ("lots.toml", "[[lot]]\nboards=['SH']\nkinds=['stock']\nfrom=2017-01-01\nbuy_min='1'\n", "whole number"),
        ("lots.toml", "[[lot]]\nboards=['SH']\nkinds=['stock']\nfrom=2017-01-01\nbuy_min=-1\n", "from 0 on"),
        ("lots.toml", "[[tick]]\nboards=['SH']\nkinds=['stock']\nfrom=2017-01-01\ntick='0.01'\n", "one of SH_MAIN"),
        ("lots.toml", "[[tick]]\nboards=['BJ']\nkinds=['stock']\nfrom='2017'\ntick='0.01'\n", "must be a date"),
        ("lots.toml", "[[tick]]\nboards=['BJ']\nkinds=['stock']\nfrom=2017-01-01\ntick='x'\n", "number in quotes"),
        ("lots.toml", "[[tick]]\nboards=['BJ']\nkinds=['stock']\nfrom=2017-01-01\ntick='-1'\n", "from 0 on"),
        ("lots.toml", "[[tick]]\nboards=['BJ']\nkinds=['stock']\nfrom=2017-01-01\ntick=0.01\n", "text in quotes"),
        ("lots.toml", "[[tick]]\nboards=['BJ','BJ']\nkinds=['stock']\nfrom=2017-01-01\ntick='1'\n", "two rows"),
        ("sessions.toml", "timetable = 1\n", "must be a table"),
        ("thresholds.toml", "[[halt]]\nlevels=['0.3']\nhalt_s=600\nlunch=[13:00:00,11:30:00]\n", "two times"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_file_and_key(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_rules(folder(tmp_path, name, text))


def test_a_side_that_no_fee_has_is_refused(tmp_path: Path) -> None:
    text = "[[stamp_duty]]\nexchanges = ['SH']\nkinds = ['stock']\nfrom = 2026-01-01\nrate = '0.002'\nside = 'buys'\n"

    with pytest.raises(ConfigError, match="side must be"):
        load_rules(folder(tmp_path, "fees.toml", text))


def test_a_closure_under_the_wrong_year_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="another year"):
        load_calendar(folder(tmp_path, "calendar.toml", "[closed]\n2027 = [2026-11-23]\n"))


def test_a_dated_value_holds_from_its_first_day_to_its_last() -> None:
    rows = [
        ("a", Term(date(2026, 7, 6), date(2026, 7, 31), 2)),
        ("a", Term(date(2020, 1, 1), None, 1)),
    ]
    table = Dated.of(rows)

    days = (date(2019, 12, 31), date(2020, 1, 1), date(2026, 7, 5), date(2026, 7, 6), date(2026, 8, 1))
    assert [table.at("a", day) for day in days] == [None, 1, 1, 2, None]
    assert table.at("b", days[1]) is None
