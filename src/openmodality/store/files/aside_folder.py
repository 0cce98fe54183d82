"""Instance files that may not be among the others: each whole, under a name that says whose UID it bears.

``aside/1.2.840.1.2.3_0123456789abcdef.dcm``: the UID, and the beginning of a digest of the content. So several contents
of one UID have room, and the same content that comes again is there once.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from openmodality.errors import StoreError
from openmodality.store.files.instance_file import remove, store_error, sync_directory

_SUFFIX: Final = ".dcm"
_DIGEST_CHARACTERS: Final = 16
_UNFINISHED: Final = ".part"


class AsideFolder:
    """Keeps what is put here until an operator decides.

    ``synced``: what was put here survives a power failure.
    """

    def __init__(self, root: Path, *, synced: bool) -> None:
        self._root = root
        self._synced = synced

    def put(self, path: Path, sop_instance_uid: str, digest: bytes) -> str:
        """Give a file a second name in this folder; the caller removes the first. Returns the name."""
        name = f"{sop_instance_uid}_{digest.hex()[:_DIGEST_CHARACTERS]}{_SUFFIX}"
        target = self._root / name
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                self._link(path, target)
            if self._synced:
                sync_directory(str(self._root))
        except OSError as error:
            raise store_error(error, "set an instance file aside") from error
        return name

    def path(self, name: str) -> Path:
        """Where a file is. Raises :class:`StoreError` for what is no name of this folder."""
        if Path(name).name != name:
            raise StoreError("that is no file that was set aside")
        return self._root / name

    def names(self) -> list[str]:
        """The files there are, with the SOP Instance UID before the underscore."""
        if not self._root.is_dir():
            return []
        return sorted(each.name for each in self._root.iterdir() if each.name.endswith(_SUFFIX) and "_" in each.name)

    def remove(self, name: str) -> None:
        """Remove a file, which has its place among the others now."""
        remove(str(self.path(name)))

    def _link(self, path: Path, target: Path) -> None:
        try:
            os.link(path, target)
        except FileExistsError:
            return
        except OSError:  # another file system, or one without links
            unfinished = target.with_suffix(_UNFINISHED)
            shutil.copyfile(path, unfinished)
            with unfinished.open("rb") as copy:
                os.fsync(copy.fileno())
            unfinished.replace(target)
