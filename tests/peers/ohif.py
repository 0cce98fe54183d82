"""OHIF, the viewer: npm's package of it, unpacked once for all runs into the cache of the user.

A test carries ``@pytest.mark.needs("npm", "chromium")`` and gives :func:`find_viewer` to ``console.ohif_folder``.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.peers.programs import program

VERSION: Final = "3.12.10"
_FETCH_S: Final = 300


def find_viewer() -> Path:
    """The folder of the unpacked package. Where npm cannot fetch it, the test is skipped; in CI it fails."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "openmodality-tests"
    folder = cache / f"ohif-{VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as temporary:
            made = _fetch(Path(temporary))
            try:
                made.rename(folder)
            except OSError:  # another process of the run was faster
                assert folder.exists()
    return folder


def _fetch(folder: Path) -> Path:
    command = [str(program("npm")), "pack", f"@ohif/app@{VERSION}", "--silent", "--pack-destination", str(folder),
               "--fetch-retries", "1", "--fetch-retry-mintimeout", "1000"]  # fmt: skip
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_FETCH_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = f"npm does not give @ohif/app {VERSION}: {type(error).__name__}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    (archive,) = folder.glob("*.tgz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / "package"
