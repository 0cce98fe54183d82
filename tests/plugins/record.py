"""``--record FILE`` writes how each test ended, which requirement ids it carries, and who stood by.

``make test`` gives it and ``make trace`` reads it. What a shorter run does not repeat stays as it was. Nobody has to
name the peers of a test: programs and sockets are noticed by Python's audit events, pynetdicom where it listens or asks
for an association, the device where it is built. What a fixture started counts for every test that uses the fixture.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.peers import witness
from tests.peers.programs import PACKAGE_OF
from tests.plugins.purity import is_unit
from tests.plugins.requirements import carried_ids

_ID: Final = "requirement"
_WITNESS: Final = "witness"
_NOTED: Final = pytest.StashKey[set[str]]()
_DEVICE: Final = {
    ("openmodality.app.modality", "Modality"),
    ("openmodality.app.runtime", "Runtime"),
    ("openmodality.activities.connection", "Connector"),
}
"""What is only built for a device of a site file; in a unit test it is a part of one."""
_ORDER: Final = ("passed", "skipped", "failed")
"""Of setup, call and teardown the worst counts."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record", type=Path, metavar="FILE", help="write outcomes, requirement ids and peers as JSON")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--record"):
        from pynetdicom import AE  # noqa: PLC0415 - start-up time of runs without a record, a quarter of it

        sys.addaudithook(_audit)
        for act in (AE.start_server, AE.associate):
            setattr(AE, act.__name__, _noting(witness.PYNETDICOM, act))
        config.pluginmanager.register(_Recorder(config), "recorder")


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    """Only tuples are addresses of the network: a local socket has a path."""
    if event in ("socket.connect", "socket.bind") and isinstance(arguments[1], tuple):
        witness.note(witness.SOCKET)
    elif event == "subprocess.Popen":
        name = Path(str(arguments[0])).name
        witness.note(name if name in PACKAGE_OF else witness.OWN_PROCESS)
        if any(str(argument).endswith("site.toml") for argument in arguments[1]):
            witness.note(witness.DEVICE)


def _noting(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(act)
    def noted(*arguments: Any, **options: Any) -> Any:
        witness.note(name)
        return act(*arguments, **options)

    return noted


class _Recorder:
    """In each process it notes who stood by; in the one that prints, it writes the file."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._of_fixtures: dict[int, set[str]] = {}
        self._tests: dict[str, dict[str, Any]] = {}
        self._watched: set[tuple[str, str]] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        with witness.noting() as names:
            result = yield
        self._of_fixtures[id(fixturedef)] = names
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        item.stash[_NOTED] = set()
        with witness.noting() as item.stash[_NOTED]:
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        definitions = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {}).values()
        of_fixtures = (self._of_fixtures.get(id(each), set()) for group in definitions for each in group)
        names = item.stash.get(_NOTED, set()).union(*of_fixtures)
        if is_unit(item.path):
            names -= {witness.DEVICE}
        item.user_properties += [(_ID, id_) for id_ in carried_ids(item)]
        item.user_properties += [(_WITNESS, name) for name in sorted(names)]
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Once its module is there: to import a device takes longer than many a run of tests."""
        for module, name in _DEVICE - self._watched:
            if module in sys.modules:
                self._watched.add((module, name))
                kind = getattr(sys.modules[module], name)
                kind.__init__ = _noting(witness.DEVICE, kind.__init__)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        known = self._tests.setdefault(report.nodeid, {"outcome": "passed", "seconds": 0.0})
        known["outcome"] = max(known["outcome"], report.outcome, key=_ORDER.index)
        known["seconds"] = round(known["seconds"] + report.duration, 3)
        for name, property_ in (("ids", _ID), ("witnesses", _WITNESS)):
            known[name] = sorted({str(value) for key, value in report.user_properties if key == property_})

    def pytest_sessionfinish(self) -> None:
        if hasattr(self._config, "workerinput"):  # the process that prints hears from all others
            return
        file: Path = self._config.getoption("--record")
        file.parent.mkdir(parents=True, exist_ok=True)
        before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        written = file.with_suffix(".new")
        written.write_text(json.dumps(before | self._tests, indent=1), encoding="utf-8")
        written.replace(file)
