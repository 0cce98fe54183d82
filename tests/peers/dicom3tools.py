"""dicom3tools: ``dciodvfy``, which checks an instance against its information object definition."""

from __future__ import annotations

from pathlib import Path

from tests.peers.process import run


def dciodvfy_errors(path: Path) -> list[str]:
    """The errors that dciodvfy finds; warnings are left out. A test carries ``@pytest.mark.needs("dciodvfy")``."""
    return [line for line in run("dciodvfy", "-new", path).output.splitlines() if line.startswith("Error")]
