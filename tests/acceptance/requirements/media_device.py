"""A device with instances in its database, and its media commands; discs are read by pydicom, not by us."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread

from tests.acceptance.in_process import call


def make_device(tmp_path: Path, profile: str, more: str = "") -> MediaDevice:
    """A device of a profile, with more in its site file."""
    (tmp_path / "device").mkdir(exist_ok=True)
    (tmp_path / "device" / "site.toml").write_text(f'profile = "{profile}"\n{more}', encoding="utf-8")
    (tmp_path / "discs").mkdir(exist_ok=True)
    return MediaDevice(tmp_path / "device", tmp_path / "discs")


@dataclass(frozen=True, slots=True)
class MediaDevice:
    """A site's folder, and the place where its discs are made."""

    folder: Path
    discs: Path

    def do(self, *words: object) -> tuple[int, str]:
        """Run a command of the device; status and what it printed."""
        return call([*map(str, words), "-c", str(self.folder / "site.toml")], self.discs)

    def take(self, *paths: Path) -> None:
        """Import instances."""
        status, said = self.do("import", *paths)
        assert status == 0, said

    def ask(self, *words: object) -> list[dict[str, Any]]:
        """The items of what a command prints as JSON."""
        status, said = self.do(*words, "--json")
        assert status == 0, said
        items: list[dict[str, Any]] = json.loads(said)["items"]
        return items

    def ask_one(self, *words: object) -> dict[str, Any]:
        """The only item of what a command prints as JSON."""
        (item,) = self.ask(*words)
        return item


def listed(root: Path) -> list[Dataset]:
    """The directory records of a DICOMDIR, read by pydicom."""
    return list(dcmread(root / "DICOMDIR").DirectoryRecordSequence)


def files_of(root: Path) -> list[Path]:
    """The files that the records name."""
    return [root.joinpath(*_parts(each.ReferencedFileID)) for each in listed(root) if "ReferencedFileID" in each]


def uids_of(paths: Sequence[Path]) -> set[str]:
    """SOP Instance UIDs of files."""
    return {str(dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID) for path in paths}


def _parts(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value]  # type: ignore[attr-defined]
