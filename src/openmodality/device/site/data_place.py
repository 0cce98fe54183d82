"""Where a site keeps its data: the two settings of a site file that a list of local data needs.

Without the profile and without the models of all settings, which take longer to load than a list takes.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final, NamedTuple

DEFAULT_DATA_FOLDER: Final = "data"
_SETTINGS: Final = frozenset({"folder", "database", "durability"})


class DataPlace(NamedTuple):
    """The data folder, and the URL of the database where it is not the SQLite file in that folder."""

    folder: Path
    database_url: str


def read_data_place(site_file: Path) -> DataPlace | None:
    """What the table ``[data]`` of a site file says.

    None where the file cannot be read or the table may be wrong: the loader of the whole file says what is wrong.
    """
    try:
        table = tomllib.loads(site_file.read_text(encoding="utf-8")).get("data", {})
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(table, dict) or not table.keys() <= _SETTINGS:
        return None
    folder, url = table.get("folder", DEFAULT_DATA_FOLDER), table.get("database", "")
    if not isinstance(folder, str) or not folder or not isinstance(url, str):
        return None
    return DataPlace(data_folder(site_file, folder), url)


def data_folder(site_file: Path, folder: str) -> Path:
    """The data folder that is meant: relative paths start from the site file's folder."""
    return site_file.parent / folder
