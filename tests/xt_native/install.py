"""Puts the fake native modules under the vendor's package, and skips the vendor's `__init__`. XTQUANT.md 1.1."""

from __future__ import annotations

import importlib
import sys
import warnings
from importlib.machinery import PathFinder
from types import ModuleType

from tests.xt_native.client import client_module
from tests.xt_native.datacenter import datacenter_module
from tests.xt_native.terminal import SimTerminal

_MARK = "_fake_native"


class Native:
    """The fake native layer under one package; the vendor's Python files above it are the real ones."""

    def __init__(self, package: str) -> None:
        self.package = package
        self.terminal: SimTerminal | None = None
        self.errors: list[BaseException] = []  # what callbacks raised in native threads, where it vanishes

    def attach(self, terminal: SimTerminal) -> None:
        """This terminal answers from now on; a computer has one at a time."""
        self.terminal = terminal

    def detach(self) -> None:
        """No terminal is running: close it and let go of the quote connection."""
        self.module("xtdata").disconnect()
        terminal, self.terminal = self.terminal, None
        self.errors.clear()
        if terminal is not None:
            terminal.close()

    def module(self, name: str) -> ModuleType:
        """A module of the vendor's, such as `xttrader`."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(f"{self.package}.{name}")


def install(package: str = "xtquant") -> Native:
    """Install the fake under `package`, once: a second call gives the same object. Nothing is printed or fetched."""
    bare = sys.modules.get(package)
    if bare is None:
        bare = _bare(package)
    known = getattr(bare, _MARK, None)
    if isinstance(known, Native):
        return known
    loaded = [name for name in (f"{package}.xttrader", f"{package}.xtdata") if name in sys.modules]
    if loaded:
        raise RuntimeError(f"{loaded[0]} was imported before install()")
    native = Native(package)
    setattr(bare, _MARK, native)
    for name, made in (("xtpythonclient", client_module), ("datacenter", datacenter_module)):
        module = made(f"{package}.{name}", native)
        sys.modules[module.__name__] = module
        setattr(bare, name, module)
    for name in ("xttrader", "xttype", "xtconstant"):
        native.module(name)
    setattr(native.module("xtdata"), "enable_hello", False)  # noqa: B010
    return native


def _bare(package: str) -> ModuleType:
    """The package without what its `__init__` does."""
    parent = package.rpartition(".")[0]
    path = importlib.import_module(parent).__path__ if parent else None
    spec = PathFinder.find_spec(package, path)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    bare = ModuleType(package)
    bare.__spec__, bare.__path__, bare.__package__ = spec, list(spec.submodule_search_locations), package
    sys.modules[package] = bare
    return bare
