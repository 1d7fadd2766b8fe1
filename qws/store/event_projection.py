"""Every envelope as a row of its own: for `trace`, and with its whole body for `qws events`."""

from __future__ import annotations

from qws.messages import FillReceived, OrderUpdated, PlaceOrder, PlanDrafted, PlanReady, RunStopOrdered
from qws.runtime.message import Envelope, Message
from qws.store.codec import encode
from qws.store.projection import Value, time_text

# The row of an envelope hangs under its cause; a push whose cause is no message of the run hangs under its intent.
_LOG = """INSERT INTO message (id, corr, cause, at, sender, kind, line, run_id, parent)
    SELECT :id, :corr, :cause, :at, :sender, :kind, :line,
           coalesce(nullif(:run_id, ''), (SELECT run_id FROM orders WHERE tag = :tag), ''),
           coalesce((SELECT id FROM message WHERE id = :cause AND run_id <> ''),
                    (SELECT message_id FROM orders WHERE tag = :tag AND message_id <> :id), :cause)"""


def log_row(envelope: Envelope, line: str) -> tuple[str, dict[str, Value]]:
    """The envelope's row for `trace`, after its own tables were written."""
    run_id, tag = _keys(envelope.body)
    row: dict[str, Value] = {
        "id": envelope.id,
        "corr": envelope.corr,
        "cause": envelope.cause,
        "at": time_text(envelope.at),
        "sender": envelope.sender,
        "kind": type(envelope.body).__name__,
        "line": line,
        "run_id": run_id,
        "tag": tag,
    }
    return _LOG, row


def _keys(body: Message) -> tuple[str, str]:
    """The run and the tag a message names, "" for none."""
    match body:
        case PlaceOrder():
            return body.run_id, body.order.tag
        case OrderUpdated():
            return "", body.order.tag
        case FillReceived():
            return "", body.trade.tag
        case PlanDrafted() | PlanReady():
            return body.plan.run_id, ""
        case RunStopOrdered():
            return body.due.run_id, ""
        case _:
            return str(getattr(body, "run_id", "")), str(getattr(body, "tag", ""))


def event_row(envelope: Envelope) -> tuple[str, tuple[int, str]]:
    """The envelope's whole body, as the journal has it."""
    return "INSERT INTO event VALUES (?, ?)", (envelope.id, encode(envelope.body))
