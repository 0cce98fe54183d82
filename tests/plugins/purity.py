"""A unit test opens no socket and builds no device: what needs one of them belongs in ``tests/integration``."""

from __future__ import annotations

import socket
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest

_UNIT = Path(__file__).parent.parent / "unit"
_DEVICE = "openmodality.app.runtime"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Hold for the fixtures of the test too, those of its module included."""
    if not is_unit(item.path):
        return (yield)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "__init__", _refuse_socket)
        if _DEVICE in sys.modules:
            patch.setattr(sys.modules[_DEVICE].Runtime, "__init__", _refuse_device)
        return (yield)


@cache
def is_unit(file: Path) -> bool:
    """Whether a module has tests of units."""
    return file.is_relative_to(_UNIT)


def _refuse_socket(*_: object, **__: object) -> None:
    raise AssertionError("a unit test opens a socket; it belongs in tests/integration")


def _refuse_device(*_: object, **__: object) -> None:
    raise AssertionError("a unit test builds a device; it belongs in tests/integration")
