"""Code to exchange, board and type. RULES.md section 2: a first guess; the client's instrument record wins."""

from __future__ import annotations

from dataclasses import dataclass

from qws.domain.market import Board, Exchange, Kind


@dataclass(frozen=True, slots=True)
class CodeClass:
    """What the digits and the suffix of a code say. `board` is None for an index, which never trades."""

    exchange: Exchange
    board: Board | None
    kind: Kind


# Client type table of December 2024, plus the ranges opened since (302, 530, 551, 589, 920).
_RANGES: tuple[tuple[Exchange, Board | None, Kind, str], ...] = (
    (Exchange.SH, Board.SH_MAIN, Kind.STOCK, "600 601 603 605"),
    (Exchange.SH, Board.SH_STAR, Kind.STOCK, "688"),
    (Exchange.SH, Board.SH_STAR, Kind.CDR, "689"),
    (Exchange.SH, Board.SH_MAIN, Kind.B_SHARE, "900"),
    (Exchange.SZ, Board.SZ_MAIN, Kind.STOCK, "000 001 002 003 004"),
    (Exchange.SZ, Board.SZ_MAIN, Kind.CDR, "0010 0011"),
    (Exchange.SZ, Board.SZ_CHINEXT, Kind.STOCK, "300 301 302"),
    (Exchange.SZ, Board.SZ_CHINEXT, Kind.CDR, "3098 3099"),
    (Exchange.SZ, Board.SZ_MAIN, Kind.B_SHARE, "200 201"),
    (Exchange.BJ, Board.BJ, Kind.STOCK, "920"),
    (Exchange.BJ, Board.BJ_OLD_CODE, Kind.STOCK, "43 83 87"),
    (
        Exchange.SH,
        Board.SH_FUND,
        Kind.ETF,
        "510 511 512 513 515 516 517 518 520 530 551 560 561 562 563 588 589",
    ),
    (Exchange.SZ, Board.SZ_FUND, Kind.ETF, "158 159"),
    (Exchange.SH, Board.SH_FUND, Kind.LOF, "501 502 506"),
    (Exchange.SZ, Board.SZ_FUND, Kind.LOF, "16"),
    (Exchange.SH, Board.SH_FUND, Kind.REIT, "508"),
    (Exchange.SZ, Board.SZ_FUND, Kind.REIT, "180"),
    (Exchange.SH, Board.SH_BOND, Kind.CB, "110 111 113 118"),
    (Exchange.SZ, Board.SZ_BOND, Kind.CB, "123 127 128"),
    (Exchange.SH, Board.SH_BOND, Kind.REPO, "204"),
    (Exchange.SZ, Board.SZ_BOND, Kind.REPO, "131"),
    (Exchange.SH, None, Kind.INDEX, "000"),
    (Exchange.SZ, None, Kind.INDEX, "399"),
)
_BY_PREFIX = {
    f"{prefix}.{exchange}": CodeClass(exchange, board, kind)
    for exchange, board, kind, prefixes in _RANGES
    for prefix in prefixes.split()
}
_PREFIX_LENGTHS = (4, 3, 2)
_LENGTH = len("600000.SH")


def classify(code: str) -> CodeClass | None:
    """The class of a canonical code such as 600519.SH, or None where it is malformed or never tradable.

    RULES.md section 2. Case matters and the suffix must match the range.
    """
    if len(code) != _LENGTH or not code.isascii() or not code[:6].isdigit():
        return None
    for length in _PREFIX_LENGTHS:
        found = _BY_PREFIX.get(code[:length] + code[6:])
        if found is not None:
            return None if _is_subscription_code(code, found) else found
    return None


def _is_subscription_code(code: str, found: CodeClass) -> bool:
    # Beside each Shanghai ETF, codes ending in 1, 2 and 3 take purchases, cash and subscriptions.
    return found.board is Board.SH_FUND and found.kind is Kind.ETF and code[5] in "123"
