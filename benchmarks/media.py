"""Discs: the directory of many files, made and read, and an image as large as a DVD; each in a process of its own.

``python -m benchmarks.media ACT FOLDER`` prints the seconds that the act alone takes and its peak memory in MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from types import MappingProxyType
from typing import Final

from benchmarks.data import cache
from openmodality.encoding.part10 import read_any
from openmodality.media.directory import encode_directory
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import read_file_head
from openmodality.media.iso_image import write_iso_image
from openmodality.media.record_tree import RecordTree
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.peers.objects import mr_image

_SERIES: Final = 10
_DVD_FILES: Final = 46
_DVD_FILE_BYTES: Final = 100_000_000


def file_set_files(count: int) -> Path:
    """A folder with ``count`` instances of 128 KB in ten series, under names that a DICOMDIR takes."""
    folder = cache() / f"file-set-{count}"
    if len(list(folder.rglob("IM*"))) == count:
        return folder
    instance = mr_image(rows=256, columns=256, SOPInstanceUID="1.2.3.4.100000", SeriesInstanceUID="1.2.3.5.100000",
                        SOPClassUID="1.2.840.10008.5.1.4.1.1.4")  # fmt: skip
    instance.file_meta.MediaStorageSOPInstanceUID = instance.SOPInstanceUID
    folder.mkdir(exist_ok=True)
    instance.save_as(folder / "TEMPLATE", enforce_file_format=True)
    template = (folder / "TEMPLATE").read_bytes()
    (folder / "TEMPLATE").unlink()
    for number in range(count):
        series = number * _SERIES // count
        own = folder / "DICOM" / f"SE{series:06d}"
        own.mkdir(parents=True, exist_ok=True)
        data = template.replace(b"1.2.3.4.100000", f"1.2.3.4.{100000 + number}".encode())
        data = data.replace(b"1.2.3.5.100000", f"1.2.3.5.{100000 + series}".encode())
        (own / f"IM{number:06d}").write_bytes(data)
    return folder


def dvd_files() -> Path:
    """A folder with 4.6 GB in files that take no room here."""
    folder = cache() / "dvd"
    folder.mkdir(exist_ok=True)
    for number in range(_DVD_FILES):
        with (folder / f"IM{number:06d}").open("wb") as file:
            file.truncate(_DVD_FILE_BYTES)
    return folder


def take(act: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of an act in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.media", act, str(folder)], check=True, capture_output=True, text=True
    )
    seconds, peak_mb = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), float(peak_mb)


def take_dcmmkdir(folder: Path) -> float:
    """Seconds of dcmmkdir for the DICOMDIR of the files in a folder, less those of its start."""
    start = perf_counter()
    subprocess.run(["dcmmkdir", "--version"], check=True, capture_output=True)
    begun = perf_counter()
    (folder / "DICOMDIR").unlink(missing_ok=True)
    subprocess.run(["dcmmkdir", "-Nxc", "-Nrc", "--recurse", "DICOM"], check=True, capture_output=True, cwd=folder)
    return perf_counter() - begun - (begun - start)


def _make_directory(folder: Path) -> None:
    tree = RecordTree()
    for path in sorted((folder / "DICOM").rglob("IM*")):
        with path.open("rb") as file:
            head = read_file_head(file, read_any(file).data_set_offset)
        if head is not None:
            tree.insert(head, EXPLICIT_VR_LITTLE_ENDIAN)
    with (folder / "OURS").open("wb") as file:
        file.writelines(encode_directory(tree.patients, "BENCH", ("1.2.3", "BENCH")))


def _read_ours(folder: Path) -> None:
    """As the FileSet does: the tree, the keys of patients, studies and series, and the UIDs and names of instances."""
    directory = read_directory(folder / "DICOMDIR")
    for patient in directory.patients:
        for record in patient.walk():
            if not record.file_id:
                directory.keys_of(record)


def _read_all_keys(folder: Path) -> None:
    directory = read_directory(folder / "DICOMDIR")
    for patient in directory.patients:
        for record in patient.walk():
            directory.keys_of(record)


def _read_pydicom(folder: Path) -> None:
    from pydicom.fileset import FileSet  # noqa: PLC0415 - the peer alone is measured in its process

    list(FileSet(folder / "DICOMDIR"))


def _write_image(folder: Path) -> None:
    image = folder.with_suffix(".iso")
    try:
        write_iso_image(folder, image, "DVD")
    finally:
        image.unlink(missing_ok=True)


_ACTS: Final = MappingProxyType[str, Callable[[Path], None]](
    {
        "make": _make_directory,
        "read": _read_ours,
        "all": _read_all_keys,
        "pydicom": _read_pydicom,
        "image": _write_image,
    }
)


def main(act: str, folder: Path) -> None:
    """Do an act and say what it took."""
    start = perf_counter()
    _ACTS[act](folder)
    seconds = perf_counter() - start
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps([seconds, peak_kb / 1000]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
