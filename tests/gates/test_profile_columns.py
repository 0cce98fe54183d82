"""The gate that finds a column of a profile which nothing reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import profile_columns
from tools.profile_columns import find_violations

PACKAGE = Path(__file__).parents[2] / "src" / "openmodality"

ROWS = """
def _fruit(row: Row) -> Fruit:
    return Fruit(name=row.text("name"), colour=_colour(row))

def _colour(row: Row) -> str:
    return row.text("colour")

FRUITS = Table("fruits.csv", _columns("name,colour"), _fruit)
"""
CLASSES = """
class Fruit:
    name: str
    colour: str

class Profile:
    fruits: tuple[Fruit, ...]
"""
READER = """
def paint(profile: Profile) -> list[str]:
    return [fruit.name + fruit.colour for fruit in profile.fruits]
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with one table of two columns, both of which are read."""
    monkeypatch.setattr(profile_columns, "UNREAD", {})
    folder = tmp_path / "device" / "profile"
    folder.mkdir(parents=True)
    (folder / "rows.py").write_text(ROWS)
    (folder / "profile.py").write_text(CLASSES)
    (folder / "loader.py").write_text("def load(profile): return [fruit.colour for fruit in profile.fruits]\n")
    (tmp_path / "painting.py").write_text(READER)
    return tmp_path


def test_every_column_of_our_profiles_has_a_reader() -> None:
    assert list(find_violations(PACKAGE)) == []


def test_a_column_that_is_read_is_no_violation(package: Path) -> None:
    assert list(find_violations(package)) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("device/profile/rows.py", "name,colour", "name,colour,taste", "column taste of fruits.csv is read by nothing"),
        ("painting.py", " + fruit.colour", "", "nothing reads Fruit.colour"),
        ("painting.py", "fruit.name + fruit.colour for fruit in profile.fruits", "", "nothing reads Fruit.name"),
        ("painting.py", "profile.fruits", "profile.vegetables", "nothing reads Fruit.colour"),
    ],
)
def test_a_column_without_a_reader_is_found(package: Path, file: str, old: str, new: str, said: str) -> None:
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))
    assert any(said in line for line in find_violations(package))


def test_an_excuse_holds_as_long_as_it_is_needed(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile_columns, "UNREAD", {"fruits.csv colour": "painting comes later"})
    (line,) = find_violations(package)
    assert "fruits.csv colour is read now" in line
    (package / "painting.py").write_text(READER.replace(" + fruit.colour", ""))
    assert list(find_violations(package)) == []


def test_each_excuse_says_what_will_read_the_column() -> None:
    assert all("to come" in reason for reason in profile_columns.UNREAD.values())
    assert len(profile_columns.UNREAD) <= 10
