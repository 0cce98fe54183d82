"""Several processes that run the tests share the work of reading their modules.

pytest rewrites the assertions of each test module and keeps the result beside Python's bytecode. In a fresh clone there
is none, and processes that start together would each rewrite all modules, in the same order. So each of them imports a
part of its own first; when it comes to the others, these have been written.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    worker = getattr(session.config, "workerinput", None)
    if worker is None or sys.dont_write_bytecode:
        return
    number, count = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    for path in list(list_modules(session.config))[number::count]:
        with suppress(Exception, pytest.skip.Exception):  # the collection imports it again, and says what is wrong
            importlib.import_module(".".join(path.relative_to(session.config.rootpath).with_suffix("").parts))


def list_modules(config: pytest.Config) -> Iterator[Path]:
    """The test modules in the folders that the run is about, in one order everywhere."""
    for argument in config.args:
        folder = config.invocation_params.dir / argument
        if folder.is_dir() and folder.is_relative_to(config.rootpath):
            yield from sorted(folder.rglob("test_*.py"))
