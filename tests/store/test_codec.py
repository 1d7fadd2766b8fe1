from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qws.domain.market import Level
from qws.errors import StoreError
from qws.messages import EquityDue, FillsReconciled, LinkLost, SessionPhaseChanged
from qws.store.codec import MESSAGE_TYPES, SHANGHAI, decode, encode
from tests.store.samples import OPEN, anything


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("kind", sorted(MESSAGE_TYPES))
@given(choice=st.data())
def test_every_message_reads_back_as_it_was_written(kind: str, choice: st.DataObject) -> None:
    message = choice.draw(anything(MESSAGE_TYPES[kind]))
    assert isinstance(message, MESSAGE_TYPES[kind])

    restored = decode(kind, encode(message))

    assert restored == message
    assert repr(restored) == repr(message)


def test_every_message_of_the_system_and_of_the_runtime_is_known() -> None:
    assert {"WeightFileSettled", "PlaceOrder", "EquityRecorded", "ActorCrashed", "Started", "Stopping"} <= set(
        MESSAGE_TYPES
    )
    assert "Message" not in MESSAGE_TYPES


def test_an_instant_of_another_zone_reads_back_in_shanghai() -> None:
    instant = datetime(2026, 9, 1, 1, 30, tzinfo=UTC)

    message = decode("SessionPhaseChanged", encode(SessionPhaseChanged(date(2026, 9, 1), "open", instant)))

    assert isinstance(message, SessionPhaseChanged)
    assert (message.at, message.at.tzinfo) == (OPEN, SHANGHAI)


@pytest.mark.parametrize(
    ("kind", "text", "field", "meant"),
    [
        ("PlanningDue", '{"day":"2026-09-01","trigger":"drop"}', "moment", None),
        ("ControlOrdered", '{"command":"rebalance","by":"me","run_id":""}', "target_id", ""),
        (
            "RebalanceDue",
            '{"run_id":"R","target_id":"T","day":"2026-09-01","attempt":0,"trigger":"drop",'
            '"send_at":"2026-09-01T09:30:03+08:00","before":null}',
            "moment",
            None,
        ),
    ],
)
def test_a_journal_of_before_the_schedule_had_names_is_still_read(
    kind: str, text: str, field: str, meant: object
) -> None:
    assert getattr(decode(kind, text), field) == meant


def test_a_level_reads_back_as_a_level_with_its_exact_price() -> None:
    text = (
        '{"run_id":"R","snapshot":{"at":"2026-09-01T09:30:00+08:00","asset":{"cash":"1","frozen":"0",'
        '"market_value":"0","total":"1"},"positions":[],"instruments":[],"quotes":[{"code":"600519.SH",'
        '"at":"2026-09-01T09:30:00+08:00","last":null,"prev_close":"9.90","bids":[["10.10",300]],"asks":[]}]}}'
    )

    message = decode("FillsReconciled", text)

    assert isinstance(message, FillsReconciled)
    level = message.snapshot.quotes[0].bids[0]
    assert (type(level), level, str(level.price)) == (Level, Level(Decimal("10.10"), 300), "10.10")


@pytest.mark.parametrize(
    "message",
    [
        SessionPhaseChanged(date(2026, 9, 1), "open", OPEN.replace(tzinfo=None)),
        EquityDue(1.5),  # type: ignore[arg-type]
        LinkLost("\ud800"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(message: SessionPhaseChanged | EquityDue | LinkLost) -> None:
    with pytest.raises(StoreError, match=type(message).__name__):
        encode(message)


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_an_amount_that_is_no_number_is_not_written(amount: str) -> None:
    kind = MESSAGE_TYPES["EquityRecorded"]
    text = (
        '{"day":"2026-09-01","at":"2026-09-01T15:00:00+08:00","kind":"close","run_id":"","positions":[],'
        '"asset":{"cash":"1","frozen":"0","market_value":"0","total":"1"},"benchmark":null}'
    )
    message = decode("EquityRecorded", text)
    assert isinstance(message, kind)
    object.__setattr__(message, "benchmark", Decimal(amount))

    with pytest.raises(StoreError, match="finite"):
        encode(message)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("EquityDue", "{}"), ("EquityDue", '{"day":"soon"}'), ("EquityDue", "{"), ("Unheard", "{}")],
)
def test_what_is_not_such_a_message_is_refused_by_name(kind: str, text: str) -> None:
    with pytest.raises(StoreError, match=kind):
        decode(kind, text)


def test_a_large_message_is_remembered_as_itself_only() -> None:
    def lost(mark: str) -> LinkLost:
        return LinkLost(mark * 20_000)

    messages = [lost(mark) for mark in "abcdefgh"]
    texts = [encode(each) for each in messages]

    assert [encode(each) for each in messages] == texts
    assert all(encode(each) is encode(each) for each in messages)
    assert [encode(lost(mark)) for mark in "abcdefgh"] == texts
