"""Streams uploads of programs to files on the disk of the data, within the space that is free there.

From there it is treated like a file of a watched folder: the readers recognise its form by its first bytes, and other
files of the same request lie beside it as companions.
"""

from __future__ import annotations

import hashlib
import mmap
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Final

from fastapi.concurrency import run_in_threadpool

from openmodality.acquisition.readers.companion import BESIDE
from openmodality.console.request_errors import TooManyRequests
from openmodality.errors import UsageError
from openmodality.store.files.instance_file import StorageFull
from openmodality.value_class import dataclass

MOST_UPLOADS: Final = 4
"""How many uploads are taken at the same time."""
RESERVE_BYTES: Final = 1 << 28
"""What an upload leaves free of the disk."""
UPLOAD_FOLDER: Final = "uploads"
_PIECE_BYTES: Final = 1 << 20
_MOST_PARTS: Final = 8
_LONGEST_HEADER: Final = 16384
_STEM: Final = "upload"
_KINDS: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x1f\x8b", ".nii.gz"),
    (0, b"\x93NUMPY", ".npy"),
    (0, b"PK\x03\x04", ".npz"),
    (0, b"MATLAB", ".mat"),
    (0, b"\x89HDF", ".h5"),
    (0, b"\x89PNG", ".png"),
    (0, b"II*\0", ".tif"),
    (0, b"MM\0*", ".tif"),
    (128, b"DICM", ".dcm"),
    (344, b"n+1\0", ".nii"),
)
"""Where in a file which bytes tell which ending."""
_COMPANIONS: Final = {"application/json": ".json", "application/toml": ".toml"}


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came, in a folder of its own. ``digest`` is that of the whole body."""

    path: Path
    digest: str


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """Where uploads of one device lie until they are taken."""

    folder: Path
    _slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(MOST_UPLOADS))
    _turns: dict[int, threading.Lock] = field(default_factory=dict)
    _change: threading.Lock = field(default_factory=threading.Lock)

    def remove_left(self) -> None:
        """Remove what a process that ended left."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def open(self, length: int) -> Iterator[Path]:
        """A folder for one upload of this length, as far as that is known; it is removed at the end of the block.

        Raises :class:`TooManyRequests` while others come, and :class:`StorageFull`.
        """
        if not self._slots.acquire(blocking=False):
            raise TooManyRequests(f"{MOST_UPLOADS} uploads are being taken")
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.check_space(length)
            with tempfile.TemporaryDirectory(dir=self.folder) as made:
                yield Path(made)
        finally:
            self._slots.release()

    def check_space(self, length: int) -> None:
        """Raises :class:`StorageFull` where so many bytes would take what is to stay free."""
        if shutil.disk_usage(self.folder).free < length + RESERVE_BYTES:
            raise StorageFull("the disk of the device has no room for this upload")

    @contextmanager
    def take_turn(self, exam: int) -> Iterator[None]:
        """One upload after the other becomes images of an exam, so that their numbers are one row."""
        with self._change:
            lock = self._turns.setdefault(exam, threading.Lock())
        with lock:
            yield


async def store_body(place: UploadPlace, chunks: AsyncIterator[bytes], path: Path, start: bytes = b"") -> str:
    """Write a body to a file as it comes, behind ``start``; its digest. Raises :class:`StorageFull`."""
    digest, held = hashlib.sha256(start), bytearray(start)
    with path.open("wb") as file:
        async for chunk in chunks:
            digest.update(chunk)
            held += chunk
            if len(held) >= _PIECE_BYTES:
                await run_in_threadpool(place.check_space, len(held))
                await run_in_threadpool(file.write, bytes(held))
                held.clear()
        await run_in_threadpool(file.write, bytes(held))
    return digest.hexdigest()


def name_by_content(path: Path) -> Path:
    """Give a file the ending that its beginning tells; one that nothing is known of keeps its name."""
    with path.open("rb") as file:
        start = file.read(512)
    for place, mark, ending in _KINDS:
        if start[place : place + len(mark)] == mark:
            return path.rename(path.with_name(_STEM + ending))
    return path.rename(path.with_name(f"{_STEM}.raw"))


def split_parts(body: Path, boundary: str) -> Path:
    """Lay out the parts of a multipart body (RFC 2046): one file of pixels, and its companions beside it; the former.

    A part of JSON or TOML, or one whose file name ends so or in ``.bval`` or ``.bvec``, is a companion. Raises
    :class:`UsageError` where the body is not whole, or has no pixels, or more than one file of them.
    """
    pixels: list[Path] = []
    for number, (headers, content) in enumerate(_walk_parts(body, boundary)):
        ending = _find_companion_ending(headers)
        path = body.with_name(f"{_STEM}{ending}" if ending else f"part{number}")
        path.write_bytes(content)
        if not ending:
            pixels.append(path)
    if len(pixels) != 1:
        raise UsageError(
            f"the body has {len(pixels)} parts of pixels", advice="give one, and what is said of it beside"
        )
    return name_by_content(pixels[0])


def _find_companion_ending(headers: Mapping[str, str]) -> str:
    name = headers.get("filename", "")
    ending = next((each for each in BESIDE if name.lower().endswith(each)), "")
    return ending or _COMPANIONS.get(headers.get("content-type", ""), "")


def _walk_parts(body: Path, boundary: str) -> Iterator[tuple[Mapping[str, str], memoryview]]:
    mark = b"--" + boundary.encode("latin-1", "replace")
    if not boundary or body.stat().st_size < len(mark):
        raise _explain_parts()
    with body.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        place = whole.find(mark)
        for _ in range(_MOST_PARTS + 1):
            begin = place + len(mark)
            if place < 0 or whole[begin : begin + 2] not in (b"\r\n", b"--"):
                raise _explain_parts()
            if whole[begin : begin + 2] == b"--":
                return
            head = whole.find(b"\r\n\r\n", begin, begin + _LONGEST_HEADER)
            place = whole.find(b"\r\n" + mark, head + 2) + 2
            if head < 0 or place < 2:
                raise _explain_parts()
            with memoryview(whole) as view, view[head + 4 : max(place - 2, head + 4)] as content:
                yield _read_headers(whole[begin + 2 : head + 2]), content
    raise UsageError(f"the body has more than {_MOST_PARTS} parts")


def _explain_parts() -> UsageError:
    return UsageError("the parts of the body cannot be told apart", advice="end each with the boundary of Content-Type")


def _read_headers(text: bytes) -> Mapping[str, str]:
    said = BytesHeaderParser().parsebytes(text)
    return {"content-type": said.get_content_type(), "filename": said.get_filename() or ""}
