"""Python runs this by itself when its folder is on PYTHONPATH: a stranger's native modules are there before anybody
imports the vendor's package. STRANGER_PARENT=1 also puts a package there, as a careful stranger would."""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from types import ModuleType

import stranger_quotes
import stranger_trading

sys.modules["xtquant.xtpythonclient"] = stranger_trading.module()
sys.modules["xtquant.datacenter"] = stranger_quotes.module()

if os.environ.get("STRANGER_PARENT"):
    found = PathFinder.find_spec("xtquant")
    parent = ModuleType("xtquant")
    assert found is not None
    assert found.submodule_search_locations is not None
    parent.__path__ = list(found.submodule_search_locations)
    parent.xtpythonclient = sys.modules["xtquant.xtpythonclient"]  # type: ignore[attr-defined]
    parent.datacenter = sys.modules["xtquant.datacenter"]  # type: ignore[attr-defined]
    sys.modules["xtquant"] = parent
