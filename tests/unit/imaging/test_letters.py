"""Letters of many alphabets are drawn as themselves, and what no font has as a question mark."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from openmodality.imaging import letters
from openmodality.imaging.letters import has_letters, measure_line, write_line


def write(text: str, size: int = 24) -> NDArray[np.uint8]:
    picture = Image.new("L", (400, 40))
    write_line(ImageDraw.Draw(picture), (0, 0), text, size, 0)
    return np.asarray(picture)


@pytest.mark.parametrize("text", ["éüßøłşğŸ", "ΩΠάς", "Иванов", "שרה"])
def test_letters_of_europe_and_the_near_east_are_there_and_differ(text: str) -> None:
    assert has_letters(text)
    drawn = [write(each).tobytes() for each in (*text, "\U0010ffff", "?")]
    assert len(set(drawn[:-2])) == len(set(text))
    assert drawn[-1] not in drawn[:-2]
    assert drawn[-2] == drawn[-1]


def test_an_accent_is_drawn() -> None:
    plain = unicodedata.normalize("NFD", "ü")[0]
    assert write("ü")[:20].sum() > write(plain)[:20].sum()


def test_what_no_font_has_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_list_others", lambda: ())
    letters._find_font.cache_clear()
    try:
        assert not has_letters("山田")
        assert np.array_equal(write("山a田"), write("?a?"))
    finally:
        letters._find_font.cache_clear()


def test_a_font_of_the_system_is_used_beside_our_own() -> None:
    if not has_letters("山田"):
        pytest.skip("no font of this system has Chinese characters")
    assert not np.array_equal(write("山a田"), write("?a?"))
    assert measure_line("山a田", 24) > measure_line("a", 24) + 40


def test_our_font_comes_with_its_licence() -> None:
    folder = Path(letters.__file__).parent / "fonts"
    assert "Permission is hereby granted" in (folder / "LICENSE.txt").read_text(encoding="utf-8")
