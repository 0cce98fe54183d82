"""The images of a presentation state, drawn as it shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.errors import NotFound, ObjectInvalid, StoreError, UsageError
from openmodality.imaging.exchange import encode_png
from openmodality.imaging.presented import draw_presented
from openmodality.objects.selection import read_state_images
from openmodality.standard.sop_classes import GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE
from openmodality.store.private_files import make_private_folder, open_private


def draw_state(find_path: Callable[[str], Path], state_uid: str, folder: Path) -> list[tuple[str, Path]]:
    """Write a PNG of each image that a state refers to; their SOP Instance UIDs and files.

    ``find_path`` gives the file of an instance. Raises :class:`NotFound` for an instance that is not there,
    :class:`UsageError` where the first is no presentation state, :class:`ObjectInvalid` for pixels that cannot be read,
    and :class:`StoreError` where a picture cannot be written.
    """
    state = _read(find_path(state_uid))
    if state.get("SOPClassUID") != GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE:
        raise UsageError(f"{state_uid} is no grayscale presentation state")
    written = []
    for uid in (image.sop_instance_uid for image in read_state_images(state)):
        picture = encode_png(draw_presented(state, _read(find_path(uid))))
        path = folder / f"{uid}.png"
        try:
            make_private_folder(folder, ())
            with open(path, "wb", opener=open_private) as file:
                file.write(picture)
        except OSError as error:
            raise StoreError(f"cannot write {path}: {error.strerror}") from error
        written.append((uid, path))
    return written


def _read(path: Path) -> Dataset:
    try:
        return dcmread(path)
    except FileNotFoundError:
        raise NotFound(f"the local database has no instance {path.stem}") from None
    except (OSError, InvalidDicomError) as error:
        raise ObjectInvalid(f"{path.name} cannot be read") from error
