"""Where the data is, without loading the whole site file, and when that has to be loaded all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.device.site.data_place import DataPlace, read_data_place


@pytest.mark.parametrize(
    ("text", "folder", "url"),
    [
        ("", "data", ""),
        ('profile = "no such"', "data", ""),
        ('[data]\nfolder = "kept"\ndurability = "os"', "kept", ""),
        ('[data]\nfolder = "kept"\ndatabase = "sqlite://"\ndurability = "os"', "kept", "sqlite://"),
        ('[data]\nfolder = "/abs"\ndatabase = "postgresql+psycopg://u@h/n"', "/abs", "postgresql+psycopg://u@h/n"),
    ],
)
def test_the_place_of_the_data_is_read_from_its_table(tmp_path: Path, text: str, folder: str, url: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text)
    assert read_data_place(file) == DataPlace(tmp_path / folder, url)


@pytest.mark.parametrize(
    "text",
    ["[data", "data = 1", "[data]\nfolder = 1", '[data]\nfolder = ""', "[data]\nfoldr = 'x'", "[data]\ndatabase = 1"],
)
def test_what_is_not_plainly_right_is_left_to_the_loader(tmp_path: Path, text: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text)
    assert read_data_place(file) is None
    assert read_data_place(tmp_path / "none.toml") is None
