"""A wheel carries all that lies below the package: code, profiles, migrations, the marker of its types."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_the_wheel_carries_every_file_of_the_package(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    [wheel] = tmp_path.glob("*.whl")
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("openmodality/")}
    source = ROOT / "src"
    files = (path for path in source.glob("openmodality/**/*") if path.is_file() and "__pycache__" not in path.parts)
    assert carried == {path.relative_to(source).as_posix() for path in files}
