"""A file that this program has no right to read stays where it lies until it may be read."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.cli.rig import ROOT

AS_ANOTHER_USER = """
import os, sys
from datetime import datetime
from pathlib import Path
from qws.store.inbox import InboxFolder
root = Path(sys.argv[1])
inbox = InboxFolder(root, 1000)
inbox.prepare()
(root / "w.csv").write_text("date,stock_code,weight\\n")
(root / "w.csv").chmod(0o000)
for folder in (root, *filter(Path.is_dir, root.iterdir())):
    folder.chmod(0o777)
if os.geteuid() == 0:
    os.setuid(65534)
(drop,) = inbox.scan()
print(inbox.claim(drop, datetime(2026, 11, 23)), inbox.is_cut(drop), inbox.leftovers())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="rights are kept otherwise there")
def test_a_file_that_may_not_be_read_stays_where_it_lies() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        root = Path(folder) / "inbox"
        told = subprocess.run(
            [sys.executable, "-c", AS_ANOTHER_USER, str(root)],
            capture_output=True,
            encoding="utf-8",
            cwd=ROOT,
            check=True,
        )

        assert told.stdout.split(maxsplit=2) == ["None", "True", "[]\n"]
        assert (root / "w.csv").exists()
