"""The files of an ISO 9660 image (ECMA-119) as a folder, for whoever has the image and not the right to mount it.

An image comes from anywhere, so nothing in it is believed. A name leads nowhere but into the folder; files are together
no longer than the image; there are no more than :data:`MOST_RECORDS` of them; a folder is walked once, so folders that
lead back to each other have an end. The names are those of ISO 9660 itself, without version: Rock Ridge, Joliet and UDF
say the same files once more.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from openmodality.errors import ObjectInvalid, OpenModalityError, StoreError
from openmodality.standard.media import DIRECTORY_NAME
from openmodality.value_class import dataclass

MOST_RECORDS: Final = 200_000
"""More files and folders are on no disc of images: a full DVD has some ten thousand."""
_SECTOR_BYTES: Final = 2048
_DESCRIPTORS: Final = range(16, 80)
_MARK: Final = b"CD001"
_PRIMARY: Final = 1
_LAST: Final = 255
_ROOT: Final = slice(156, 190)
_LEAST_RECORD: Final = 34
_FOLDER: Final = 0x02
_GOES_ON: Final = 0x80
_PIECE_BYTES: Final = 1 << 20
_NO_NAMES: Final = frozenset({"", ".", ".."})
_OF_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


_WHAT_TO_GIVE: Final = "name the folder that the DICOMDIR is in, or an image of such a folder"


class _NoImage(ObjectInvalid):
    """What is read has no volume descriptor, so it is no image at all."""


@contextmanager
def unpack_iso_image(image: Path, beside: Path | None = None) -> Iterator[Path]:
    """A folder with the files of an image, for as long as the block lasts; it takes as much room as the image.

    The folder is made in ``beside``, by default where the system has its temporary files. Raises
    :class:`ObjectInvalid` where the file is no image or a broken one, and :class:`StoreError` where the disk is full.
    """
    with TemporaryDirectory(prefix="openmodality-iso-", dir=beside) as name:
        root = Path(name) / "medium"
        root.mkdir()
        try:
            with image.open("rb") as file:
                _IsoImage(file).unpack(root)
        except _NoImage:
            raise ObjectInvalid(f"{image} is no image of a disc (ISO 9660)", advice=_WHAT_TO_GIVE) from None
        except ObjectInvalid as error:
            raise ObjectInvalid(
                f"the image {image} is broken: {error.message}", advice="copy it again, or have it made again"
            ) from error
        except OSError as error:
            if error.errno in _OF_DISK:
                raise StoreError(f"there is no room to unpack {image}", advice="make room, and try again") from error
            raise ObjectInvalid(f"{image} cannot be read as an ISO 9660 image: {error.strerror}") from error
        yield root


@contextmanager
def open_medium(place: Path) -> Iterator[Path]:
    """The folder of a file-set, for as long as the block lasts: ``place`` is that folder, or the image of a disc.

    Raises what :func:`unpack_iso_image` raises, and :class:`ObjectInvalid` for an image without a DICOMDIR. Errors
    inside the block name the image, and not where it was unpacked.
    """
    if not place.is_file():
        yield place
        return
    with unpack_iso_image(place) as root:
        if not (root / DIRECTORY_NAME).is_file():
            raise ObjectInvalid(f"{place} is the image of a disc without {DIRECTORY_NAME}", advice=_WHAT_TO_GIVE)
        try:
            yield root
        except OpenModalityError as error:
            error.message = error.message.replace(str(root), str(place))
            raise


@dataclass(frozen=True, slots=True)
class IsoRecord:
    """A record of a folder (ECMA-119 9.1): where its bytes lie. A file that ``goes_on`` has more in the next record."""

    name: str
    place: int
    length: int
    is_folder: bool
    goes_on: bool


class _IsoImage:
    """An image that is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = os.fstat(file.fileno()).st_size
        self._block_bytes = _SECTOR_BYTES

    def unpack(self, root: Path) -> None:
        """Copy all files below ``root``."""
        room, known = self._length, 0
        waiting = [(root, self._read_root())]
        walked = {waiting[0][1].place}
        while waiting:
            target, folder = waiting.pop()
            target.mkdir(exist_ok=True)
            before: IsoRecord | None = None
            for record in self._list_records(folder):
                known += 1
                room -= 0 if record.is_folder else record.length
                if known > MOST_RECORDS or room < 0:  # many names for the same bytes would fill the disk
                    raise ObjectInvalid("it has too many files, or they are together longer than it is")
                path = target / _check_name(record.name)
                if not record.is_folder:
                    is_next = before is not None and before.goes_on and before.name == record.name
                    self._copy(record, path, "ab" if is_next else "xb")
                elif record.place in walked:
                    raise ObjectInvalid("its folders lead back to each other")
                else:
                    walked.add(record.place)
                    waiting.append((path, record))
                before = record

    def _read_root(self) -> IsoRecord:
        """The record of the folder above all, from the primary volume descriptor (ECMA-119 8.4)."""
        if self._length < (_DESCRIPTORS.start + 1) * _SECTOR_BYTES:
            raise _NoImage("it is too short")
        for number in _DESCRIPTORS:
            descriptor = self._read(number * _SECTOR_BYTES, _SECTOR_BYTES)
            if descriptor[1:6] != _MARK or descriptor[0] == _LAST:
                break
            if descriptor[0] == _PRIMARY:
                self._block_bytes = int.from_bytes(descriptor[128:130], "little")
                if self._block_bytes not in (512, 1024, 2048):
                    raise ObjectInvalid("its blocks have a length that ISO 9660 does not have")
                return self._parse(descriptor[_ROOT])
        raise _NoImage("it has no primary volume descriptor")

    def _list_records(self, folder: IsoRecord) -> Iterator[IsoRecord]:
        """The records of a folder without those of itself and of the one above; none crosses the end of a sector."""
        for offset in range(0, folder.length, _SECTOR_BYTES):
            sector = self._read(folder.place + offset, min(_SECTOR_BYTES, folder.length - offset))
            place = 0
            while place < len(sector) and sector[place]:
                raw = sector[place : place + sector[place]]
                place += sector[place]
                if raw[32:34] not in (b"\x01\x00", b"\x01\x01"):
                    yield self._parse(raw)

    def _parse(self, raw: bytes) -> IsoRecord:
        if len(raw) < _LEAST_RECORD or len(raw) < raw[0] or 33 + raw[32] > len(raw):
            raise ObjectInvalid("a record of a folder is broken")
        block = int.from_bytes(raw[2:6], "little") + raw[1]  # behind the extended attributes
        return IsoRecord(
            name=raw[33 : 33 + raw[32]].decode("latin-1").split(";")[0].rstrip("."),
            place=block * self._block_bytes,
            length=int.from_bytes(raw[10:14], "little"),
            is_folder=bool(raw[25] & _FOLDER),
            goes_on=bool(raw[25] & _GOES_ON),
        )

    def _copy(self, record: IsoRecord, path: Path, mode: str) -> None:
        with path.open(mode) as target:
            for offset in range(0, record.length, _PIECE_BYTES):
                target.write(self._read(record.place + offset, min(_PIECE_BYTES, record.length - offset)))

    def _read(self, place: int, length: int) -> bytes:
        """So many bytes. Raises :class:`ObjectInvalid` where the image ends before."""
        self._file.seek(place)
        found = self._file.read(length)
        if len(found) < length:
            raise ObjectInvalid("it ends before what its records name")
        return found


def _check_name(name: str) -> str:
    if name in _NO_NAMES or "/" in name or "\0" in name:
        raise ObjectInvalid(f"it has a file of the name {name!r}")
    return name
