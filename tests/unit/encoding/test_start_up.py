"""The package must not weigh on the start of short commands."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {"pydicom", "numpy", "uuid", "socket", "ssl", "asyncio", "logging"}


def test_import_loads_nothing_heavy() -> None:
    code = "import sys, openmodality.encoding.part10, openmodality.encoding.transcode; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)
