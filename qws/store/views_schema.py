"""The tables of the read models. Money is decimal text, times are ISO text with +08:00; the journal can rebuild it."""

from __future__ import annotations

VERSION = 8

EVENTS_KEPT = 100_000  # bodies of messages; a day of 300 names has some thousands, the journal has all

TABLES = (
    "CREATE TABLE meta (applied_id INTEGER NOT NULL, halted INTEGER NOT NULL, since INTEGER NOT NULL)",
    "INSERT INTO meta VALUES (0, 0, 0)",
    """CREATE TABLE target (
        target_id TEXT PRIMARY KEY, file TEXT, sha256 TEXT, accepted_at TEXT, days TEXT, dropped TEXT,
        message_id INTEGER)""",
    "CREATE TABLE waits (target_id TEXT, day TEXT, at TEXT, name TEXT, PRIMARY KEY (target_id, day)) WITHOUT ROWID",
    "CREATE TABLE missed (day TEXT, at TEXT, name TEXT, PRIMARY KEY (at, name)) WITHOUT ROWID",
    "CREATE TABLE rejected (id INTEGER PRIMARY KEY, file TEXT, sha256 TEXT, at TEXT, refusals TEXT)",
    """CREATE TABLE run (
        run_id TEXT PRIMARY KEY, target_id TEXT, file TEXT, sha256 TEXT, day TEXT, attempt INTEGER,
        trigger TEXT NOT NULL DEFAULT '', status TEXT, reason TEXT NOT NULL DEFAULT '', text TEXT NOT NULL DEFAULT '',
        started_at TEXT, finished_at TEXT, total_asset TEXT, cash TEXT, fees TEXT, tracking_error TEXT)""",
    """CREATE TABLE plan_row (
        run_id TEXT, attempt INTEGER, idx INTEGER, stock_code TEXT, side TEXT, shares INTEGER, price TEXT,
        price_from TEXT, weight TEXT, held INTEGER, sellable INTEGER, wanted INTEGER, fee TEXT, reason TEXT,
        PRIMARY KEY (run_id, attempt, idx)) WITHOUT ROWID""",
    """CREATE TABLE orders (
        tag TEXT PRIMARY KEY, run_id TEXT NOT NULL DEFAULT '', order_id TEXT NOT NULL DEFAULT '', stock_code TEXT,
        side TEXT, shares INTEGER, price TEXT, filled INTEGER NOT NULL DEFAULT 0, status TEXT,
        message TEXT NOT NULL DEFAULT '', time TEXT, message_id INTEGER)""",
    "CREATE INDEX orders_run ON orders (run_id)",
    """CREATE TABLE fill (
        trade_id TEXT, day TEXT, order_id TEXT, tag TEXT, run_id TEXT, stock_code TEXT, side TEXT, shares INTEGER,
        price TEXT, fee TEXT, time TEXT, message_id INTEGER, PRIMARY KEY (day, stock_code, trade_id)) WITHOUT ROWID""",
    "CREATE INDEX fill_run ON fill (run_id)",
    "CREATE INDEX fill_tag ON fill (tag)",
    """CREATE TABLE outcome (
        run_id TEXT, idx INTEGER, code TEXT, wanted TEXT, achieved TEXT, planned INTEGER, filled INTEGER, reason TEXT,
        PRIMARY KEY (run_id, idx)) WITHOUT ROWID""",
    """CREATE TABLE position (
        code TEXT PRIMARY KEY, shares INTEGER, sellable INTEGER, value TEXT, cost TEXT) WITHOUT ROWID""",
    """CREATE TABLE account (
        total_asset TEXT, cash TEXT, frozen_cash TEXT, market_value TEXT, at TEXT)""",
    """CREATE TABLE equity (
        day TEXT, kind TEXT, run_id TEXT, at TEXT, total_asset TEXT, cash TEXT, frozen_cash TEXT, market_value TEXT,
        benchmark TEXT, flow TEXT, PRIMARY KEY (day, kind, run_id)) WITHOUT ROWID""",
    """CREATE TABLE arrival (
        run_id TEXT, code TEXT, at TEXT, bid TEXT, ask TEXT, last TEXT, PRIMARY KEY (run_id, code)) WITHOUT ROWID""",
    """CREATE TABLE message (
        id INTEGER PRIMARY KEY, corr INTEGER, cause INTEGER, parent INTEGER, at TEXT, sender TEXT, kind TEXT,
        run_id TEXT, line TEXT)""",
    "CREATE TABLE event (id INTEGER PRIMARY KEY, body TEXT NOT NULL)",
    "CREATE INDEX message_run ON message (run_id) WHERE run_id <> ''",
    "CREATE INDEX message_cause ON message (cause)",
    """CREATE TABLE alert (
        alert_id TEXT PRIMARY KEY, at TEXT, severity TEXT, kind TEXT, key TEXT, text TEXT, acknowledged_by TEXT,
        acknowledged_at TEXT, message_id INTEGER)""",
    """CREATE TABLE alert_told (
        alert_id TEXT, channel TEXT, via TEXT, outcome TEXT, text TEXT, at TEXT,
        PRIMARY KEY (alert_id, channel)) WITHOUT ROWID""",
    """CREATE TABLE reconciled (
        day TEXT PRIMARY KEY, at TEXT, problem TEXT, since TEXT, orders INTEGER, fills INTEGER, differences TEXT)""",
    "CREATE TABLE actor (name TEXT PRIMARY KEY, state TEXT, inbox INTEGER, handled INTEGER) WITHOUT ROWID",
    """CREATE TABLE daemon (
        state TEXT, pid INTEGER, started_at TEXT, heartbeat_at TEXT, version TEXT, mode TEXT, metrics TEXT)""",
    """CREATE TABLE control (
        id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, argument TEXT NOT NULL, by TEXT NOT NULL,
        asked_at TEXT NOT NULL, answer TEXT, answered_at TEXT)""",
    "CREATE INDEX control_waiting ON control (id) WHERE answer IS NULL",
    f"PRAGMA user_version = {VERSION}",
)
