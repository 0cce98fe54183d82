"""pydicom's settings belong to the whole process: one module sets them, and everything that reads loads it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from pydicom import config

import openmodality
import openmodality.dimse.pydicom_settings

SOURCE = Path(openmodality.__file__).parent
HOME = "openmodality.dimse.pydicom_settings"
READERS = {"dcmread", "read_dataset", "filereader", "read_file", "read_partial"}
_LIKE_A_CHANGE = re.compile(r"\b(?:config|settings)\.[\w.]+\s*(?::[^=\n]*|[^\w\s=(),]*)=|\bsetattr\b|\bconfig\.debug\b")
"""What a text has in which a setting is changed: to parse all others takes longest."""


def _changes(text: str) -> Iterator[int]:
    """Lines that change a setting of pydicom: an assignment to ``config.x`` or ``settings.x``, or a call that does."""
    for node in ast.walk(ast.parse(text)):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        written = [target for target in targets if isinstance(target, ast.Attribute)]
        if any(_is_of_pydicom(target.value) for target in written):
            yield getattr(node, "lineno", 0)
        if isinstance(node, ast.Call) and _is_change(node):
            yield node.lineno


def _is_change(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    return called == "config.debug" or (called == "setattr" and _is_of_pydicom(call.args[0]))


def _is_of_pydicom(owner: ast.expr) -> bool:
    return ast.unparse(owner) in {"config", "config.settings", "settings", "pydicom.config", "pydicom.config.settings"}


@pytest.mark.parametrize(
    "change",
    [
        "config.settings.reading_validation_mode = config.RAISE",
        "pydicom.config.replace_un_with_known_vr = False",
        "settings.writing_validation_mode: int = 1",
        "setattr(config.settings, 'reading_validation_mode', 1)",
        "config.debug(True)",
    ],
)
def test_a_change_of_a_setting_is_seen(change: str) -> None:
    assert list(_changes(f"import pydicom\n{change}\n")) == [2]
    assert _LIKE_A_CHANGE.search(change)


def test_no_other_module_changes_a_setting_of_pydicom() -> None:
    texts = {path.relative_to(SOURCE).as_posix(): path.read_text() for path in SOURCE.rglob("*.py")}
    changing = {name for name, text in texts.items() if _LIKE_A_CHANGE.search(text) and any(_changes(text))}
    assert changing == {"dimse/pydicom_settings.py"}


def _names(path: Path) -> set[str]:
    text = path.read_text()
    if not any(reader in text for reader in READERS):
        return set()
    tree = ast.parse(text)
    return {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names} | {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
    }


def test_whatever_reads_with_pydicom_has_loaded_the_settings() -> None:
    graph = grimp.build_graph("openmodality", include_external_packages=True)
    reading = [path for path in SOURCE.rglob("*.py") if _names(path) & READERS]
    modules = [".".join(("openmodality", *path.relative_to(SOURCE).with_suffix("").parts)) for path in reading]
    assert "openmodality.dimse.data_set" in modules
    assert set(modules) - graph.find_downstream_modules(HOME) - {HOME} == set()


def test_the_device_starts_with_the_settings() -> None:
    code = (
        "import openmodality.app.modality; from pydicom import config; print(config.settings.reading_validation_mode)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == config.IGNORE
