"""From pixels to images on disk, and to peers as they are installed: ``python -m benchmarks ingest``.

``python -m benchmarks.ingest WORK DURABILITY IMAGES [PORT]`` is one process that is measured: it prints images per
second, with ``iterator`` its highest memory in MB, and with ``pacs`` the seconds from the end of ``add_volume`` to that
of the send job, to an archive at a port.

What the processes write stays until :func:`remove_written`: for a minute or more ext4 goes past each inode of a file
that was deleted when it makes another one near it, so that each process would pay for those before it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from benchmarks.data import cache
from benchmarks.sites import describe_device, describe_peer, save_site
from openmodality import Modality
from openmodality.exam.series import Series
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from openmodality.store.states import JobKind, JobState

_SENT_WITHIN_S: Final = 120.0
_SIDE: Final = 256
_LARGE_SIDE: Final = 512
_AFFINE: Final = np.diag([1.0, 1.0, 5.0, 1.0])
_PLANE: Final = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1], "SliceThickness": 5}
_TECHNIQUE: Final[dict[str, Any]] = {
    "ScanningSequence": "SE", "SequenceVariant": "NONE", "RepetitionTime": 500, "EchoTime": 12, "FlipAngle": 90,
}  # fmt: skip
_PATIENT: Final = {"PatientID": "1", "PatientName": "DOE^JANE"}
_BUFFERS_AT_ONCE: Final = 512
_THREADS: Final = 16
_HEAD_BYTES: Final = 3000
"""About what an MR image has before its pixels."""


def measure(work: str, durability: str, images: int, port: int = 0) -> float:
    """A process of its own that does the work; the number that it prints."""
    command = (sys.executable, "-m", "benchmarks.ingest", work, durability, str(images), str(port))
    environment = {**os.environ, "PYTHONPATH": f"src{os.pathsep}."}
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def remove_written() -> None:
    """Remove what the processes wrote."""
    shutil.rmtree(_find_folder(), ignore_errors=True)


def _find_folder() -> Path:
    return cache() / "ingest"


def make_folder() -> Path:
    """A new folder for what a process writes."""
    _find_folder().mkdir(exist_ok=True)
    return Path(mkdtemp(dir=_find_folder()))


def _make_pixels(images: int) -> NDArray[np.uint16]:
    return np.random.default_rng(1).integers(0, 4096, (images, _SIDE, _SIDE), dtype=np.uint16)


def _add_each(series: Series, pixels: NDArray[np.uint16]) -> None:
    for number, frame in enumerate(pixels):
        place = [0, 0, 5 * number]
        series.add(frame, ImagePositionPatient=place, SliceLocation=5 * number, **_PLANE, **_TECHNIQUE)


def _add_volume(series: Series, pixels: NDArray[np.uint16]) -> None:
    series.add_volume(pixels, _AFFINE, **_TECHNIQUE)


def _add_iterator(series: Series, pixels: NDArray[np.uint16]) -> None:
    images = len(pixels)

    def frames() -> Iterator[NDArray[np.uint16]]:
        random = np.random.default_rng(1)
        for _ in range(images):
            yield random.integers(0, 4096, (_LARGE_SIDE, _LARGE_SIDE), dtype=np.uint16)

    series.add_volume(frames(), _AFFINE, shape=(images, _LARGE_SIDE, _LARGE_SIDE), **_TECHNIQUE)


_WORKS: Final[dict[str, Callable[[Series, NDArray[np.uint16]], None]]] = {
    "each": _add_each, "volume": _add_volume, "iterator": _add_iterator,
}  # fmt: skip


def _run_device(work: str, durability: str, images: int) -> float:
    with Modality(_write_site(durability)) as device, device.exam(patient=_PATIENT) as exam:
        _add_volume(exam.series("WARM"), _make_pixels(2))
        pixels = _make_pixels(images) if work != "iterator" else np.empty((images, 0, 0), np.uint16)
        with exam.series("SERIES", ProtocolName="T1") as series:
            start = perf_counter()
            _WORKS[work](series, pixels)
            seconds = perf_counter() - start
        if work == "iterator":
            return _read_memory_kb("VmHWM") / 1024
    return images / seconds


def _run_enhanced(work: str, durability: str, frames: int) -> float:
    """CPU seconds of an Enhanced MR Image until it is on disk, or the memory that it takes beside its pixels."""
    with Modality(_write_site(durability), works=False) as device:
        exam = device.register(_PATIENT)
        _add_volume(exam.series("WARM", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE), _make_pixels(2))
        pixels: NDArray[Any] = _make_pixels(frames)
        if work == "enhanced-memory":  # no pixel is stored as it is, so that each is copied once
            pixels = pixels.astype(np.int32) * 40
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        before = _read_memory_kb("VmRSS")
        start = process_time()
        _add_volume(exam.series("SERIES", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE), pixels)
        seconds = process_time() - start
        if work == "enhanced":
            return seconds
        return (_read_memory_kb("VmHWM") - before) * 1024 / (2 * pixels.size)


def _run_enhanced_bare(durability: str, frames: int) -> float:
    """CPU seconds of nothing but the write of the same pixels, frame by frame in gathered writes, and its sync."""
    pixels = _make_pixels(frames)
    views = [memoryview(frame).cast("B") for frame in pixels]
    start = process_time()
    file = os.open(make_folder() / "pixels", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    for first in range(0, frames, _BUFFERS_AT_ONCE):
        os.writev(file, views[first : first + _BUFFERS_AT_ONCE])
    if durability == "fsync":
        os.fsync(file)
    os.close(file)
    return process_time() - start


def _read_memory_kb(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name))


def _run_to_pacs(durability: str, images: int, port: int) -> float:
    with Modality(_write_site(durability, port)) as device, device.exam(patient=_PATIENT) as exam:
        pixels = _make_pixels(images)
        with exam.series("SERIES", ProtocolName="T1") as series:
            _add_volume(series, pixels)
            start = perf_counter()
        device.wait_until_idle(_SENT_WITHIN_S)
        seconds = perf_counter() - start
        (job,) = device.jobs.list()
    if job.kind is not JobKind.SEND or job.state is not JobState.DONE:
        sys.exit(f"{job.kind} is {job.state}: {job.reason}")
    return seconds


def _write_site(durability: str, port: int = 0) -> Path:
    archive = describe_peer("archive", "ANY", port, services=["storage"]) if port else ""
    return save_site(make_folder(), describe_device(durability=durability), archive)


def _run_bare(durability: str, images: int) -> float:
    """Nothing but a file and a row for each image: created, written, made durable, committed."""
    data, folder = _make_bare_data(), make_folder()
    with closing(_make_rows(folder, durability)) as database:
        start = perf_counter()
        for number in range(images):
            _end_bare(_write_bare(folder, number, data), durability)
            with database:
                database.execute("INSERT INTO images VALUES (?)", (str(number),))
        return images / (perf_counter() - start)


def _run_bare_together(durability: str, images: int) -> float:
    """The same for all images together: files made durable by several threads, rows in one transaction."""
    data, folder = _make_bare_data(), make_folder()
    with closing(_make_rows(folder, durability)) as database, ThreadPoolExecutor(_THREADS) as pool:
        start = perf_counter()
        for _ in pool.map(lambda number: _end_bare(_write_bare(folder, number, data), durability), range(images)):
            pass
        with database:
            database.executemany("INSERT INTO images VALUES (?)", ((str(number),) for number in range(images)))
        return images / (perf_counter() - start)


def _make_bare_data() -> bytes:
    return os.urandom(_HEAD_BYTES + 2 * _SIDE * _SIDE)


def _make_rows(folder: Path, durability: str) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "rows.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute(f"PRAGMA synchronous={'FULL' if durability == 'fsync' else 'NORMAL'}")
    database.execute("CREATE TABLE images (uid TEXT PRIMARY KEY)")
    return database


def _write_bare(folder: Path, number: int, data: bytes) -> int:
    file = os.open(folder / f"{number}.dcm", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(file, data)
    return file


def _end_bare(file: int, durability: str) -> None:
    if durability == "fsync":
        os.fsync(file)
    os.close(file)


def _run_pydicom(images: int) -> float:
    """One plain data set for each image, attribute by attribute, with what ours have."""
    study, series, frame = (generate_uid() for _ in range(3))
    made, name = _make_pixels(images), make_folder()
    start = perf_counter()
    for number, pixels in enumerate(made):
        image = Dataset()
        said = {
            "SOPClassUID": MRImageStorage, "SOPInstanceUID": generate_uid(), "StudyInstanceUID": study,
            "SeriesInstanceUID": series, "FrameOfReferenceUID": frame, "Modality": "MR", "PatientID": "1",
            "PatientName": "DOE^JANE", "PatientBirthDate": "", "PatientSex": "", "StudyDate": "20260101",
            "StudyTime": "120000", "SeriesDate": "20260101", "SeriesTime": "120000", "StudyID": "1",
            "AccessionNumber": "1", "ReferringPhysicianName": "", "SeriesNumber": 1, "AcquisitionNumber": 1,
            "InstanceNumber": number + 1, "Manufacturer": "A", "ManufacturerModelName": "B", "StationName": "C",
            "DeviceSerialNumber": "1", "SoftwareVersions": "1", "InstitutionName": "D", "ProtocolName": "T1",
            "SeriesDescription": "SERIES", "PatientPosition": "HFS", "BodyPartExamined": "HEAD", "Laterality": "",
            "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"], "ContentDate": "20260101", "ContentTime": "120000",
            "AcquisitionDate": "20260101", "AcquisitionTime": "120000", "InstanceCreationDate": "20260101",
            "InstanceCreationTime": "120000", "ImagePositionPatient": [0, 0, 5 * number],
            "SliceLocation": 5 * number, "SpacingBetweenSlices": 5, "PositionReferenceIndicator": "",
            "ScanOptions": "", "MRAcquisitionType": "2D", "EchoTrainLength": 1, "WindowCenter": 2048,
            "WindowWidth": 4096, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
            "Rows": _SIDE, "Columns": _SIDE, "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
            "PixelRepresentation": 0, **_PLANE, **_TECHNIQUE,
        }  # fmt: skip
        for keyword, value in said.items():
            setattr(image, keyword, value)
        image.PixelData = pixels.tobytes()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.save_as(f"{name}/{number}.dcm", enforce_file_format=True)
    return images / (perf_counter() - start)


def _main(work: str, durability: str, images: int, port: int = 0) -> None:
    if work == "pacs":
        print(_run_to_pacs(durability, images, port))
    elif work == "enhanced-bare":
        print(_run_enhanced_bare(durability, images))
    elif work.startswith("enhanced"):
        print(_run_enhanced(work, durability, images))
    elif work == "bare":
        print(_run_bare(durability, images))
    elif work == "bare-together":
        print(_run_bare_together(durability, images))
    elif work == "pydicom":
        print(_run_pydicom(images))
    else:
        print(_run_device(work, durability, images))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
