"""Commands are imported without what none of them uses, and without looking for garbage meanwhile."""

from __future__ import annotations

import gc
import sys
from types import ModuleType

import pytest

from openmodality.cli.terminal.lazy import hide_unused, loading


def test_what_no_command_uses_is_not_imported_but_stays_where_it_is_already(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = dict[str, ModuleType]()
    hide_unused(modules)
    assert dict.fromkeys(modules) == modules == {"requests": None}
    for name, hidden in modules.items():
        monkeypatch.setitem(sys.modules, name, hidden)
        with pytest.raises(ModuleNotFoundError):
            __import__(name)
    there = {"requests": ModuleType("requests")}
    hide_unused(there)
    assert there["requests"] is not None


@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_looked_for_again_where_it_was(collects: bool) -> None:
    was_enabled = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        with pytest.raises(ImportError, match="looks: False"), loading():
            raise ImportError(f"looks: {gc.isenabled()}")
        assert gc.isenabled() == collects
    finally:
        (gc.enable if was_enabled else gc.disable)()
