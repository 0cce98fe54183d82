"""Names of files in a file-set: components of up to eight capital letters, digits and underscores (PS3.10 8.2, 8.5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from openmodality.media.directory import FileId

DISC_FOLDER: Final = "DICOM"
MAX_COMPONENTS: Final = 8
_COMPONENT: Final = re.compile(r"[A-Z0-9_]{1,8}")
_NUMBERED: Final = re.compile(r"([A-Z]{2})(\d{6})")


def is_file_id(components: FileId) -> bool:
    """Whether these are one to eight components of allowed characters."""
    return 1 <= len(components) <= MAX_COMPONENTS and all(_COMPONENT.fullmatch(each) for each in components)


class FileIdSource:
    """Gives File IDs of the form ``DICOM/PA000001/ST000001/SE000001/IM000001`` that nobody has yet.

    ``used`` are the File IDs of a set that is added to; numbers go on after theirs.
    """

    def __init__(self, used: Iterable[FileId] = ()) -> None:
        self._last: dict[FileId, int] = {}
        for file_id in used:
            for length, component in enumerate(file_id):
                numbered = _NUMBERED.fullmatch(component)
                if numbered is not None:
                    above = (*file_id[:length], numbered[1])
                    self._last[above] = max(self._last.get(above, 0), int(numbered[2]))

    def next_name(self, above: FileId, prefix: str) -> FileId:
        """The next name in a folder; ``prefix`` is two capital letters."""
        number = self._last.get((*above, prefix), 0) + 1
        self._last[(*above, prefix)] = number
        return (*above, f"{prefix}{number:06d}")


def find_file(root: Path, file_id: FileId) -> Path | None:
    """The file of a File ID below the root of a medium, whatever the case of its name; ``None`` where there is none.

    A path that would lead out of the medium, by its components or by a symbolic link, leads to nothing.
    """
    inside = root.resolve()
    path = inside
    for component in file_id:
        if component in ("", ".", "..") or "/" in component or "\0" in component:
            return None
        step = _find_entry(path, component)
        if step is None:
            return None
        path = step
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError):  # links in a circle are a RuntimeError
        return None
    return resolved if resolved.is_relative_to(inside) and resolved.is_file() else None


def _find_entry(folder: Path, component: str) -> Path | None:
    """An entry of a folder by its name; ISO 9660 may show it in small letters, or with a version."""
    exact = folder / component
    try:
        if exact.exists():
            return exact
        wanted = component.upper()
        for entry in folder.iterdir():
            if entry.name.upper().split(";")[0].rstrip(".") == wanted:
                return entry
    except OSError:
        return None
    return None
