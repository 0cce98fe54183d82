"""Takes the commands of a package out of the virtual environment: ``python -m tools.hide_scripts NAME``.

pynetdicom brings echoscu, storescu, storescp, findscu and more, which are not DCMTK's. Where the environment is active
they come first, and whoever types storescu tries another program than the page or the colleague means. The package
itself, which the tests use, stays; so do files of these names that are not the package's.
"""

from __future__ import annotations

import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path


def hide_scripts(package: str, folder: Path) -> list[str]:
    """Remove the package's commands from the folder; their names."""
    hidden = []
    for entry in distribution(package).entry_points.select(group="console_scripts"):
        script = folder / entry.name
        if script.is_file() and entry.module in script.read_text(encoding="utf-8", errors="replace"):
            script.unlink()
            hidden.append(entry.name)
    return hidden


if __name__ == "__main__":
    for name in sys.argv[1:]:
        hide_scripts(name, Path(sysconfig.get_path("scripts")))
