"""Tags by their keywords, compared with pydicom's dictionary, and written nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydicom.datadict import keyword_for_tag

import openmodality
from openmodality.standard import tags

TABLE = {name: value for name, value in vars(tags).items() if name.isupper()}
SOURCE = Path(openmodality.__file__).parent
TABLES = ("standard/tags.py", "standard/dimse.py", "encoding/vr_table.py")
"""Where tags may be numbers; those of commands are rows with their keyword and VR."""


@pytest.mark.parametrize("name", TABLE)
def test_a_tag_has_the_name_of_its_keyword(name: str) -> None:
    assert keyword_for_tag(TABLE[name]).upper() == name.replace("_", "")


def test_tags_stand_in_order_and_once() -> None:
    assert list(TABLE.values()) == sorted(set(TABLE.values()))


def test_no_other_module_writes_a_tag_as_a_number() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {number}"
        for path in SOURCE.rglob("*.py")
        if path.relative_to(SOURCE).as_posix() not in TABLES
        for number in re.findall(r"\b0x[0-9A-Fa-f]{8}\b", path.read_text())
        if number.upper() != "0XFFFFFFFF"
    }
    assert found == set()
