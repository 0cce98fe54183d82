"""Instance files sorted by study: ``ROOT/STUDY-INSTANCE-UID/SOP-INSTANCE-UID.dcm``.

An instance is stored once below the root. One that lies elsewhere there, in the root itself from before or in the
folder of another study, stays where it is, and what comes under its UID is judged by it. Two of one UID that come at
once take turns. Whoever moves files into these folders while it runs is not seen, but for files in the root and in the
folder of the instance's own study.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from openmodality.encoding.listening import Listener
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.errors import ObjectInvalid
from openmodality.standard.tags import STUDY_INSTANCE_UID
from openmodality.store.files.instance_file import Named
from openmodality.store.files.instance_files import InstanceFiles

_LOCKS: Final = 64
"""How many instances may be given their names at once; two of one UID share a lock."""


class StudyUid(Listener):
    """Keeps (0020,000D) Study Instance UID, empty where it is none; raises :class:`ObjectInvalid` where it must be."""

    tags = frozenset((STUDY_INSTANCE_UID,))

    def __init__(self, *, is_required: bool) -> None:
        self.uid = ""
        self._is_required = is_required

    def take_values(self, values: Mapping[int, bytes | None]) -> None:
        """Keep what is a UID: it may become the name of a folder."""
        uid = strip_padding(values.get(STUDY_INSTANCE_UID) or b"")
        if is_valid_uid(uid, strict=False):
            self.uid = uid
        elif self._is_required:
            raise ObjectInvalid("(0020,000D) Study Instance UID is missing or is no UID")


class InstancePlace:
    """The file ``name`` of an instance, known when it has that name."""

    __slots__ = ("is_elsewhere", "name", "study")

    def __init__(self, name: str, study: StudyUid | None = None) -> None:
        self.name = name
        self.study = study
        self.is_elsewhere = False


class StudyFolders:
    """The folders of studies below the root of ``files``, which has no others (``fan_out=False``)."""

    def __init__(self, files: InstanceFiles) -> None:
        self.synced = files.synced
        self._files = files
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))
        self._seen = {hash(path.name) for path in self._list_files()}
        """Numbers in place of names, for there may be millions; which folder it is, is looked up."""

    def name_once(self, temporary: str, sop_instance_uid: str, study_instance_uid: str) -> tuple[Named, Path]:
        """Give a complete temporary file its name, unless the instance is stored already; and where the instance is."""
        final = self._files.root / study_instance_uid / self._files.path(sop_instance_uid).name
        key = hash(final.name)
        with self._locks[key % _LOCKS]:
            other = None if final.exists() else self._find_elsewhere(final.name)
            if other is not None:
                try:
                    return self._files.compare_with(other, temporary, sop_instance_uid), other
                except FileNotFoundError:
                    pass  # somebody has just taken it away
            named = self._files.name_into(f"{final.parent}{os.sep}", temporary, sop_instance_uid)
            self._seen.add(key)
            return named, final

    def _find_elsewhere(self, name: str) -> Path | None:
        flat = self._files.root / name
        if flat.exists():
            return flat
        if hash(name) not in self._seen:
            return None
        return next((path for folder in self._list_folders() if (path := folder / name).exists()), None)

    def _list_folders(self) -> Iterator[Path]:
        with os.scandir(self._files.root) as entries:
            for entry in entries:
                if is_valid_uid(entry.name, strict=False) and entry.is_dir():
                    yield Path(entry.path)

    def _list_files(self) -> Iterator[Path]:
        for folder in (self._files.root, *self._list_folders()):
            with os.scandir(folder) as entries:
                yield from (Path(entry.path) for entry in entries if entry.name.endswith(".dcm"))


class StudyNaming:
    """Names the file of one instance; fulfils :class:`openmodality.store.files.instance_file.Naming`."""

    __slots__ = ("_folders", "_place", "_study", "synced")

    def __init__(self, folders: StudyFolders, place: InstancePlace, study: StudyUid) -> None:
        self.synced = folders.synced
        self._folders = folders
        self._place = place
        self._study = study

    def name_once(self, temporary: str, sop_instance_uid: str) -> Named:
        """Give it its name in the folder of its study, and note where the instance is."""
        named, path = self._folders.name_once(temporary, sop_instance_uid, self._study.uid)
        self._place.name = str(path)
        self._place.is_elsewhere = path.parent.name != self._study.uid
        return named
