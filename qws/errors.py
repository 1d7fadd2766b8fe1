"""An exception means a bug or a broken environment; a refusal is a message.

QwsError
  x ConfigError          names the key and the remedy                       (exit 2)
  x WiringError          the declared messages do not form a closed graph   (exit 3)
  x AlreadyRunning       another daemon holds this home                     (exit 3)
  x GatewayError         the broker or the quote source misbehaved          (exit 3)
    + GatewayTimeout     no answer within the deadline: the outcome is UNKNOWN
    + GatewayLost        the connection is gone
  x StoreError           the journal cannot be written: stop everything     (exit 3)
  x InvariantBroken      a money rule is violated; raised, so it survives -O (exit 3)
"""

from __future__ import annotations


class QwsError(Exception):
    """The root of what this program raises."""

    exit_code = 3


class ConfigError(QwsError):
    """Raised when the configuration cannot be used; the text names the key and the remedy."""

    exit_code = 2


class WiringError(QwsError):
    """Raised at start when a message is emitted and never consumed, or the reverse."""


class AlreadyRunning(QwsError):
    """Raised when a second daemon is started on the same home."""


class GatewayError(QwsError):
    """Raised when the broker or the quote source misbehaves."""


class GatewayTimeout(GatewayError):
    """Raised when no answer came within the deadline: the outcome is unknown, not failed."""


class GatewayLost(GatewayError):
    """Raised when the connection is gone."""


class StoreError(QwsError):
    """Raised when the journal cannot be written or read: what cannot be remembered must not be done."""


class InvariantBroken(QwsError):
    """Raised when a money rule is violated."""
