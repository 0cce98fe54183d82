"""A change of a site file: its new text, the lines that differ, and the write, which is done whole or not at all.

Before each change what was there is kept in a folder beside the file, so that it can be put back.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Final

from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import make_site, read_site_text
from openmodality.errors import ConfigurationError, NotFound, WrongState
from openmodality.value_class import dataclass

MOST_KEPT: Final = 50
_KEPT: Final = re.compile(r"\d{8}-\d{6}-\d{6}\.toml")
_PASSWORD: Final = re.compile(r"(://[^:/@\s\"']*):[^@\s]*@")


@dataclass(frozen=True, slots=True)
class SiteChange:
    """A new text for a site file. ``site`` is loaded from it: a text that is wrong was refused before."""

    file: Path
    before: str
    after: str
    site: Site

    @property
    def based_on(self) -> str:
        """Names the text that the change was made from."""
        return name_text(self.before)

    @property
    def lines(self) -> list[str]:
        """The lines that change, with ``-`` and ``+`` before them, and some around them; passwords are not shown."""
        compared = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), lineterm="")
        return [mask_passwords(line) for line in compared][2:]


def name_text(text: str) -> str:
    """A name for a text, by which a change of it is noticed."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]


def mask_passwords(text: str) -> str:
    """The text with the passwords of URLs left out."""
    return _PASSWORD.sub(r"\1:***@", text)


def plan_change(file: Path, before: str, after: str) -> SiteChange:
    """A change of a site file. Raises :class:`ConfigurationError` where the new text makes no site."""
    return SiteChange(file, before, after, make_site(file, after))


def write_change(change: SiteChange, at: float) -> Path:
    """Write a change; returns where the text is kept that was there before.

    Raises :class:`WrongState` where the file is another by now, and :class:`ConfigurationError` where it cannot be
    written; then it stays as it was.
    """
    if read_site_text(change.file) != change.before:
        raise WrongState(
            f"{change.file.name} was changed meanwhile", advice="look at what would change now, and decide again"
        )
    folder = find_kept_folder(change.file)
    kept = folder / f"{datetime.fromtimestamp(at):%Y%m%d-%H%M%S-%f}.toml"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _write_whole(kept, change.before, 0o600)
        _write_whole(change.file, change.after, change.file.stat().st_mode & 0o777)
        for old in list_kept(change.file)[MOST_KEPT:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{change.file} cannot be written: {error.strerror}",
            advice="let the user under whom the device runs write this folder",
        ) from error
    return kept


def find_kept_folder(file: Path) -> Path:
    """Where the earlier texts of a site file are."""
    return file.with_name(f"{file.name}.earlier")


def list_kept(file: Path) -> list[Path]:
    """The earlier texts of a site file, the newest first."""
    folder = find_kept_folder(file)
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return [folder / name for name in sorted(names, reverse=True) if _KEPT.fullmatch(name)]


def find_kept(file: Path, name: str) -> Path:
    """An earlier text by its name. Raises :class:`NotFound` where there is none."""
    for path in list_kept(file):
        if path.name == name:
            return path
    raise NotFound("there is no such earlier site file")


def _write_whole(file: Path, text: str, mode: int) -> None:
    """Write a file so that it is there whole, or as it was, whatever happens."""
    part = file.with_name(f".{file.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
