from __future__ import annotations

import pytest

from qws.domain.codes import CodeClass, classify
from qws.domain.market import Board, Exchange, Kind


@pytest.mark.parametrize(
    ("codes", "exchange", "board", "kind"),
    [
        ("600519.SH 601318.SH 603288.SH 605499.SH", "SH", "SH_MAIN", "stock"),
        ("688981.SH", "SH", "SH_STAR", "stock"),
        ("689009.SH", "SH", "SH_STAR", "cdr"),
        ("900901.SH", "SH", "SH_MAIN", "b_share"),
        ("000001.SZ 001248.SZ 002594.SZ 003816.SZ", "SZ", "SZ_MAIN", "stock"),
        ("001001.SZ 001199.SZ", "SZ", "SZ_MAIN", "cdr"),
        ("300750.SZ 301236.SZ 302132.SZ", "SZ", "SZ_CHINEXT", "stock"),
        ("309801.SZ 309901.SZ", "SZ", "SZ_CHINEXT", "cdr"),
        ("200011.SZ 201872.SZ", "SZ", "SZ_MAIN", "b_share"),
        ("920002.BJ", "BJ", "BJ", "stock"),
        ("430047.BJ 830799.BJ 871981.BJ", "BJ", "BJ_OLD_CODE", "stock"),
        ("510300.SH 512880.SH 551030.SH 563300.SH 588000.SH 589000.SH 530050.SH", "SH", "SH_FUND", "etf"),
        ("159915.SZ 158001.SZ", "SZ", "SZ_FUND", "etf"),
        ("501018.SH 502003.SH 506002.SH", "SH", "SH_FUND", "lof"),
        ("161725.SZ 169101.SZ", "SZ", "SZ_FUND", "lof"),
        ("508056.SH", "SH", "SH_FUND", "reit"),
        ("180101.SZ", "SZ", "SZ_FUND", "reit"),
        ("110059.SH 111001.SH 113050.SH 118003.SH", "SH", "SH_BOND", "cb"),
        ("123107.SZ 127045.SZ 128136.SZ", "SZ", "SZ_BOND", "cb"),
        ("204001.SH", "SH", "SH_BOND", "repo"),
        ("131810.SZ", "SZ", "SZ_BOND", "repo"),
        ("000300.SH", "SH", None, "index"),
        ("399006.SZ", "SZ", None, "index"),
    ],
)
def test_a_code_tells_exchange_board_and_kind(codes: str, exchange: str, board: str | None, kind: str) -> None:
    expected = CodeClass(Exchange(exchange), None if board is None else Board(board), Kind(kind))

    assert {classify(code) for code in codes.split()} == {expected}


@pytest.mark.parametrize(
    "code",
    [
        "600519",
        "60051.SH",
        "6005190.SH",
        "600519.sh",
        "SH600519",
        "600519.SZ",
        "600519.XSHG",
        "300750.SH",
        "688981.SZ",
        "920002.SH",
        "830799.SZ",
        "399300.SH",
        "159915.SH",
        "510300.SZ",
        "AAPL.US",
        "00700.HK",
        "730519.SH",
        "780001.SH",
        "787001.SH",
        "309000.SZ",
        "600519 SH",
        " 600519.SH",
        "６００５１９.SH",
        "",
    ],
)
def test_what_is_not_a_canonical_tradable_code_is_not_known(code: str) -> None:
    assert classify(code) is None


def test_purchase_and_subscription_codes_beside_an_etf_are_refused() -> None:
    assert [code for code in ("510300.SH", "510301.SH", "510302.SH", "510303.SH") if classify(code)] == ["510300.SH"]
