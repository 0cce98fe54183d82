"""What all tests share: the markers ``requirement`` and ``needs``, and the fixtures that start peers."""

from __future__ import annotations

import gc
import logging
import signal
from collections.abc import Generator

import pytest

pytest_plugins = [
    "tests.plugins.requirements",
    "tests.plugins.purity",
    "tests.plugins.record",
    "tests.plugins.needs",
    "tests.plugins.scratch",
    "tests.plugins.database",
    "tests.plugins.certificates",
    "tests.plugins.ports",
    "tests.plugins.effort",
    "tests.plugins.modules",
    "tests.plugins.order",
    "tests.plugins.passwords",
]


_LOG = logging.getLogger("openmodality")
_LEVEL, _HANDLERS = _LOG.level, tuple(_LOG.handlers)


def pytest_configure() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and programs that tests start would inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """A command that runs in the tests' process sets up the log; each test finds it as it was at the start.

    It is no fixture, which would cost each test as much as many a test takes.
    """
    _restore_log()
    result = yield
    _restore_log()
    return result


def _restore_log() -> None:
    if _LOG.level != _LEVEL:  # to set it makes every logger forget what it has worked out
        _LOG.setLevel(_LEVEL)
    _LOG.handlers[:] = _HANDLERS


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: to look through it for garbage meanwhile takes a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Thousands of tests stay to the end: the collector of garbage need not look through them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
