"""Which programs of others the tests know, and where they are on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_DCMTK = (
    "dcm2pnm", "dcmcjpeg", "dcmconv", "dcmcrle", "dcmdjpeg", "dcmdrle", "dcmdump", "dcmftest", "dcmj2pnm", "dcml2pnm",
    "dcmmkdir", "dcmp2pgm", "dcmprscp", "dcmprscu", "dcmpschk", "dcmqrscp", "dsrdump", "dump2dcm", "echoscu", "findscu",
    "getscu", "movescu", "storescp", "storescu", "termscu", "wlmscpfs",
)  # fmt: skip

PACKAGE_OF: Mapping[str, str] = {
    **dict.fromkeys(_DCMTK, "dcmtk"),
    "dciodvfy": "dicom3tools",
    "dcdump": "dicom3tools",
    "dcdirdmp": "dicom3tools",
    "isoinfo": "genisoimage",
    "7z": "p7zip-full",
    "xorriso": "xorriso",
    "Orthanc": "orthanc",
    "chromium": "chromium",
    "chromium-headless-shell": "chromium-headless-shell",
    "npm": "npm",
    "odil": "odil",
    "dcm2niix": "dcm2niix",
    "pdfimages": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "pdftotext": "poppler-utils",
}
"""Program, and the Debian package that brings it."""


def find_program(name: str) -> Path | None:
    """Where a program is; ``None`` where it is missing. Only programs of `PACKAGE_OF` may be asked for.

    A program of the same name in the Python environment is passed over: pynetdicom brings a ``storescu`` of its own,
    which comes first on the path where an environment is active.
    """
    if name not in PACKAGE_OF:
        raise ValueError(f"unknown peer program {name!r}: add it to PACKAGE_OF with its Debian package")
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    # Servers such as Orthanc are in sbin, which is not on every user's path.
    folders = [folder for folder in folders if not _is_of_python(folder)] + ["/usr/sbin", "/usr/local/sbin"]
    found = shutil.which(name, path=os.pathsep.join(folders))
    return Path(found) if found else None


def _is_of_python(folder: str) -> bool:
    """Whether a folder of the path is that of a virtual environment."""
    return (Path(folder).parent / "pyvenv.cfg").exists()


def program(name: str) -> Path:
    """Where a program is. A test that calls this carries ``@pytest.mark.needs(name)``."""
    found = find_program(name)
    if found is None:
        raise FileNotFoundError(f"{name} is missing; mark the test with @pytest.mark.needs({name!r})")
    return found
