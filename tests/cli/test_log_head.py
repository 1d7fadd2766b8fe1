"""Whoever opens any log file reads first which home and which account it is of."""

from __future__ import annotations

import json

from loguru import logger

from qws.config import LogSection
from qws.home import Home
from qws.log import start_logging, stop_logging

HEAD = "home h, live account ****0365, settings s"


def write_much(home: Home, head: str) -> None:
    start_logging(home, LogSection(rotation="2 KB"), console=False, head=head)
    for number in range(60):
        logger.info("line {} {}", number, "x" * 100)
    stop_logging()


def test_every_further_file_begins_with_the_head_and_the_first_with_what_is_said(home: Home) -> None:
    write_much(home, HEAD)

    for pattern in ("*.log", "*.jsonl"):
        files = sorted(home.logs.glob(pattern), key=lambda path: path.stat().st_mtime_ns)
        firsts = [path.read_text(encoding="utf-8").splitlines()[0] for path in files]
        assert len(firsts) > 3
        assert sum("line 0 " in first for first in firsts) == 1
        assert sum(HEAD in first for first in firsts) == len(firsts) - 1


def test_the_head_is_a_line_like_every_other(home: Home) -> None:
    write_much(home, HEAD)

    for path in home.logs.glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert len({frozenset(line) for line in lines}) == 1
    texts = [line for path in home.logs.glob("*.log") for line in path.read_text(encoding="utf-8").splitlines()]
    heads = [line for line in texts if line.endswith(HEAD)]
    others = [line for line in texts if not line.endswith(HEAD)]
    assert len(others) == 60
    assert {line.index(" | ") for line in heads} == {line.index(" | ") for line in others}
    assert {line.split(" | ")[1] for line in heads} == {line.split(" | ")[1] for line in others}


def test_a_file_that_is_gone_on_with_gets_no_second_head(home: Home) -> None:
    for _ in range(2):
        start_logging(home, LogSection(), console=False, head=HEAD)
        logger.info("said")
        stop_logging()

    (file,) = home.logs.glob("*.log")
    assert HEAD not in file.read_text(encoding="utf-8")
