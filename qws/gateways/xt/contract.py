"""What is taken for granted about the vendor's package, and where a package differs. XTQUANT.md 1.2, 4.1, 4.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import Parameter, signature
from types import MappingProxyType

from qws.domain.orders import OrderStatus

BUY, SELL, FIX_PRICE = 23, 24, 11
OFFSET_BUY, OFFSET_SELL = 48, 49  # of `offset_flag`; the package has no names for them
_ACCOUNT_STATUSES = {
    "ACCOUNT_STATUS_INVALID": -1,
    "ACCOUNT_STATUS_OK": 0,
    "ACCOUNT_STATUS_WAITING_LOGIN": 1,
    "ACCOUNT_STATUSING": 2,
    "ACCOUNT_STATUS_FAIL": 3,
    "ACCOUNT_STATUS_INITING": 4,
    "ACCOUNT_STATUS_CORRECTING": 5,
    "ACCOUNT_STATUS_CLOSED": 6,
    "ACCOUNT_STATUS_ASSIS_FAIL": 7,
    "ACCOUNT_STATUS_DISABLEBYSYS": 8,
    "ACCOUNT_STATUS_DISABLEBYUSER": 9,
}
SECURITY_ACCOUNT = 2
CONSTANTS: Mapping[str, int] = MappingProxyType(
    {"STOCK_BUY": BUY, "STOCK_SELL": SELL, "FIX_PRICE": FIX_PRICE, "SECURITY_ACCOUNT": SECURITY_ACCOUNT}
    | {f"ORDER_{status.name}": status.value for status in OrderStatus}
    | _ACCOUNT_STATUSES
)

Use = tuple[str, list[str], list[str]]  # a call's name, the arguments given in order, those given by name


def wrong_constants(xtconstant: object) -> Iterator[str]:
    """The constants that mean something else in a package; what it has not is no contradiction."""
    for name, expected in CONSTANTS.items():
        found = getattr(xtconstant, name, expected)
        if found != expected:
            yield f"{name} is {found!r}, expected {expected}"


def missing_constants(xtconstant: object) -> Iterator[str]:
    """The constants that a package has not."""
    return (f"{name} is missing" for name in CONSTANTS if not hasattr(xtconstant, name))


def uses_of(protocol: type) -> Iterator[Use]:
    """Every call that a protocol declares."""
    for name, declared in vars(protocol).items():
        if not name.startswith("_") and callable(declared):
            given = [each for each in signature(declared).parameters.values() if each.name != "self"]
            by_name = [each.name for each in given if each.kind is Parameter.KEYWORD_ONLY]
            yield name, [each.name for each in given if each.name not in by_name], by_name


def call_difference(home: object, use: Use) -> str:
    """Why a call as we make it would not arrive; empty when it would."""
    name, in_order, by_name = use
    if (present := getattr(home, name, None)) is None:
        return f"{name} is missing"
    taken = _taken(present)
    if taken[: len(in_order)] == in_order and set(by_name) <= set(taken):
        return ""
    return f"{name} takes {', '.join(taken)}; expected {', '.join([*in_order, *by_name])}"


def callback_difference(base: object, use: Use) -> str:
    """Why a call back would not arrive: these are found by name, and their arguments are given in order."""
    name, in_order, _ = use
    if (present := getattr(base, name, None)) is None:
        return f"the callback {name} is missing"
    if len(taken := _taken(present)) == len(in_order):
        return ""
    return f"the callback {name} takes {', '.join(taken) or 'nothing'}; expected {', '.join(in_order) or 'nothing'}"


def member_difference(xttype: object, name: str, members: tuple[str, ...]) -> str:
    """Which members that are read of a struct a package has not; these are then read as nothing."""
    if (present := getattr(xttype, name, None)) is None:
        return f"{name} is missing"
    lacking = [each for each in members if each not in (*_taken(present), "account_type")]  # the native structs have it
    return f"{name} lacks {', '.join(lacking)}" if lacking else ""


def _taken(call: object) -> list[str]:
    return [name for name in signature(call).parameters if name != "self"] if callable(call) else []
