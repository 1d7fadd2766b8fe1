"""Session ids are few, our own leftovers are cleaned, and one process has an account. XTQUANT.md 4.5, G7."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.errors import AlreadyRunning, GatewayError
from qws.gateways.xt.session import AccountLock, SessionPool, first_session


def queue_file(folder: Path, session: int) -> Path:
    return folder / f"down_queue_win_{session}"


def test_ids_are_used_in_turn_and_again(tmp_path: Path) -> None:
    pool = SessionPool(tmp_path, 500, 3)

    assert [pool.take() for _ in range(7)] == [500, 501, 502, 500, 501, 502, 500]


def test_the_ids_of_an_account_are_the_same_in_every_process_and_not_anothers() -> None:
    firsts = {first_session(str(account)) for account in range(1_000_000_000, 1_000_000_200)}

    assert first_session("1000000365") == first_session("1000000365")
    assert len(firsts) >= 199
    assert all(0 < first < 2**31 - 16 and first % 16 == 1000 % 16 for first in firsts)


def test_a_killed_process_costs_no_id_twice(tmp_path: Path) -> None:
    """The terminal refuses an id whose queue file was left behind; the next life begins with another one."""
    queue_file(tmp_path, SessionPool(tmp_path, 500).take()).touch()

    second = SessionPool(tmp_path, 500).take()
    assert second != 500
    queue_file(tmp_path, second).touch()

    assert SessionPool(tmp_path, 500).take() != second


def test_only_leftovers_of_the_pool_are_removed(tmp_path: Path) -> None:
    ours = [queue_file(tmp_path, session) for session in (500, 502)]
    others = [queue_file(tmp_path, 503), tmp_path / "up_queue_win_500", tmp_path / "lock_down_500"]
    for file in (*ours, *others):
        file.write_bytes(b"x")

    SessionPool(tmp_path, 500, 3).take()

    assert not any(file.exists() for file in ours)
    assert all(file.exists() for file in others)


def test_an_id_whose_file_cannot_be_removed_is_in_use(tmp_path: Path) -> None:
    queue_file(tmp_path, 500).mkdir()  # as a file that another program has open on Windows

    assert SessionPool(tmp_path, 500, 2).take() == 501
    queue_file(tmp_path, 501).mkdir()
    with pytest.raises(GatewayError, match="every session id is in use"):
        SessionPool(tmp_path, 500, 2).take()


def test_a_folder_that_is_not_there_has_no_leftovers(tmp_path: Path) -> None:
    assert SessionPool(tmp_path / "nowhere", 500).take() == 500


def test_an_account_is_traded_by_one_process(tmp_path: Path) -> None:
    path = tmp_path / "xt.lock"
    lock, other = AccountLock(path), AccountLock(path)
    lock.acquire()
    with pytest.raises(AlreadyRunning, match=r"another process trades this account.*xt\.lock"):
        other.acquire()
    other.release()
    lock.release()
    other.acquire()

    other.release()


def test_a_lock_without_a_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(GatewayError, match="make its folder writable"):
        AccountLock(tmp_path / "file" / "xt.lock").acquire()
