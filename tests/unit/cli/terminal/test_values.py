from __future__ import annotations

import os
from argparse import ArgumentTypeError
from collections.abc import Callable
from pathlib import Path

import pytest

from openmodality.cli.terminal import values
from openmodality.cli.terminal.values import not_empty, parse_integer, parse_number, volume_label


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (parse_integer(), "-5", -5),
        (parse_integer(1), "1", 1),
        (parse_integer(0, 65535), "65535", 65535),
        (parse_number(0.1, 86400.0), "0.1", 0.1),
        (parse_number(0), "inf", float("inf")),
        (parse_number(0), "1e3", 1000.0),
        (not_empty, " 1.2", " 1.2"),
    ],
)
def test_what_may_be(convert: Callable[[str], object], text: str, value: object) -> None:
    assert convert(text) == value


@pytest.mark.parametrize(
    ("convert", "text", "wrong"),
    [
        (parse_integer(), "1.5", "'1.5' is not a whole number"),
        (parse_integer(1), "", "'' is not a whole number"),
        (parse_integer(1), "0", "'0' is out of range (1 or more)"),
        (parse_integer(1, 2**63 - 2), "0", "'0' is out of range (1 or more)"),
        (parse_integer(0, 65535), "65536", "'65536' is out of range (0 to 65535)"),
        (parse_integer(0, 65535), "-1", "'-1' is out of range (0 to 65535)"),
        (parse_number(0), "soon", "'soon' is not a number"),
        (parse_number(0), "nan", "'nan' is not a number"),
        (parse_number(0.1, 86400.0), "0", "'0' is out of range (0.1 to 86400)"),
        (not_empty, " ", "it is empty"),
    ],
)
def test_what_may_not_be(convert: Callable[[str], object], text: str, wrong: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        convert(text)
    assert str(caught.value) == wrong


def test_a_whole_number_may_be_larger_than_any_float() -> None:
    assert parse_integer(1)("1" + "0" * 400) == 10**400


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("convert", "names"),
    [
        (values.existing_path, ["file", "folder"]),
        (values.existing_file, ["file"]),
        (values.existing_folder, ["folder"]),
        (values.any_folder, ["folder", "lost"]),
        (values.any_path, ["file", "folder", "lost"]),
    ],
)
def test_a_path_that_is_there_is_taken(convert: Callable[[str], Path], names: list[str]) -> None:
    for name in names:
        assert convert(name) == Path(name)


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize(
    ("convert", "name", "wrong"),
    [
        (values.existing_path, "lost", "file or folder 'lost' does not exist"),
        (values.existing_file, "lost", "file 'lost' does not exist"),
        (values.existing_folder, "lost", "folder 'lost' does not exist"),
        (values.existing_path, "", "it is empty"),
        (values.any_folder, " ", "it is empty"),
        (values.existing_path, "\0", r"file or folder '\x00' does not exist"),
        (values.existing_path, "n" * 300, f"file or folder '{'n' * 300}' does not exist"),
        (values.existing_file, "folder", "'folder' is a folder, not a file"),
        (values.existing_folder, "file", "'file' is a file, not a folder"),
        (values.any_folder, "file", "'file' is a file, not a folder"),
    ],
)
def test_paths_that_are_something_else(convert: Callable[[str], Path], name: str, wrong: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        convert(name)
    assert str(caught.value) == wrong


@pytest.mark.usefixtures("there")
def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(ArgumentTypeError, match=r"^'file' may not be read$"):
        values.existing_file("file")


def test_the_name_of_a_disc_is_made_of_what_was_typed() -> None:
    assert volume_label("my-disc 1") == "MY_DISC_1"
    for wrong in ("", "a" * 17, "größe", "a.b"):
        with pytest.raises(ArgumentTypeError, match="is no name of a disc"):
            volume_label(wrong)
