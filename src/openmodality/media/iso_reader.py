"""The files of an ISO 9660 image as a folder, for who has the image and not the right to mount it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from openmodality.errors import ObjectInvalid
from openmodality.media.iso_library import load_pycdlib

_NO_NAMES: Final = frozenset({"", ".", ".."})


@contextmanager
def unpack_iso_image(image: Path, beside: Path | None = None) -> Iterator[Path]:
    """A folder with the files of an image, for as long as the block lasts; it takes as much room as the image.

    The folder is made in ``beside``, by default where the system has its temporary files. Raises
    :class:`ObjectInvalid` where the file is no image or a broken one, or its files are together longer than it is.
    """
    with TemporaryDirectory(prefix="openmodality-iso-", dir=beside) as name:
        root = Path(name) / "medium"
        root.mkdir()
        opened = load_pycdlib().PyCdlib()
        try:
            with image.open("rb") as file:  # ours to close, however the library ends
                opened.open_fp(file)
                _unpack(opened, root, image.stat().st_size)
                opened.close()
        except Exception as error:
            # pycdlib raises many kinds for what is broken; each is a fault of the image
            raise ObjectInvalid(f"{image} cannot be read as an ISO 9660 image: {error}") from error
        yield root


def _unpack(opened: Any, root: Path, room: int) -> None:
    for folder, _, names in opened.walk(iso_path="/"):
        parts = [part for part in folder.split("/") if part]
        for name in names:
            plain = name.split(";")[0].rstrip(".")
            if _NO_NAMES & {*parts, plain} or any("/" in part or "\0" in part for part in (*parts, plain)):
                raise ObjectInvalid(f"it has a file of the name {name!r}")
            target, place = root.joinpath(*parts, plain), f"{folder.rstrip('/')}/{name}"
            room -= opened.get_record(iso_path=place).get_data_length()
            if room < 0:  # many names for the same bytes would fill the disk
                raise ObjectInvalid("its files are together longer than it is")
            target.parent.mkdir(parents=True, exist_ok=True)
            opened.get_file_from_iso(str(target), iso_path=place)
