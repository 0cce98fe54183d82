"""JSON documents in a folder: each is replaced as a whole and is on disk before anything is acknowledged."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from openmodality.errors import StoreError
from openmodality.store.files.instance_file import store_error, sync_directory
from openmodality.store.private_files import open_private

_TEMPORARY: Final = ".tmp"


class Documents:
    """``FOLDER/NAME.json``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob(f"*{_TEMPORARY}"):
                left.unlink()
        except OSError as error:
            raise store_error(error, f"use the folder {folder}") from error

    def save(self, name: str, document: Mapping[str, Any]) -> None:
        """Put a document in place of the one of that name; after a crash it is the old or the new one."""
        final = self._folder / f"{name}.json"
        temporary = self._folder / f"{name}.{secrets.token_hex(4)}{_TEMPORARY}"
        try:
            with open(temporary, "w", encoding="utf-8", opener=open_private) as stream:
                json.dump(document, stream, ensure_ascii=False, indent=1)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(final)
            sync_directory(str(self._folder))
        except OSError as error:
            raise store_error(error, f"write {final}") from error

    def delete(self, name: str) -> None:
        """Remove a document if it is there."""
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def load(self) -> dict[str, dict[str, Any]]:
        """All documents by name. Raises :class:`StoreError` where one cannot be read; it names the file."""
        return {file.stem: _read(file) for file in sorted(self._folder.glob("*.json"))}


def _read(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{file} cannot be read", advice="repair or remove this file") from error
    if not isinstance(document, dict):
        raise StoreError(f"{file} holds no JSON object", advice="repair or remove this file")
    return document
