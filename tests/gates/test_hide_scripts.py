"""``make`` keeps pynetdicom's commands off the path, where they would come before DCMTK's."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.hide_scripts import hide_scripts

SCRIPT = "#!{}\nimport sys\nfrom pynetdicom.apps.{}.{} import main\nsys.exit(main())\n"
ROOT = Path(__file__).parents[2]


def test_the_commands_of_the_package_go_and_nothing_else(tmp_path: Path) -> None:
    for name in ("storescu", "echoscu"):
        (tmp_path / name).write_text(SCRIPT.format(sys.executable, name, name), encoding="utf-8")
    (tmp_path / "findscu").write_bytes(b"\x7fELF\xff of DCMTK")
    (tmp_path / "openmodality").write_text("pynetdicom.apps.storescu", encoding="utf-8")
    assert sorted(hide_scripts("pynetdicom", tmp_path)) == ["echoscu", "storescu"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findscu", "openmodality"]
    assert hide_scripts("pynetdicom", tmp_path) == []


def test_the_environment_that_make_builds_has_none() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("$(VENV)/.development: pyproject.toml")[2]
    assert "-m tools.hide_scripts pynetdicom" in recipe
