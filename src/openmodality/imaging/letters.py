"""Writes letters into pictures: with a font that comes with the program, else with one of the system.

DejaVu Sans has the alphabets of Europe and the Near East. Chinese, Japanese and Korean take a font of the system; where
none is installed, a name is written in the group that can be, and what cannot be is a question mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

from PIL import ImageDraw, ImageFont

Colour = int | tuple[int, int, int]
_OWN: Final = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_FOLDERS: Final = ("/usr/share/fonts", "/usr/local/share/fonts", "/opt/homebrew/share/fonts", "/Library/Fonts")
_OTHERS: Final = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKjp-Regular.otf",
    "SourceHanSans-Regular.ttc",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "ipagp.ttf",
    "ipag.ttf",
    "NanumGothic.ttf",
    "unifont.ttf",
    "FreeSans.ttf",
)
"""Fonts with many letters, by the names of their files, the best first."""
_TRIED: Final = 24
"""The size in pixels at which it is tried whether a font has a letter."""
_MISSING: Final = "\U0010ffff"
"""A character that no font has."""


def load_font(size: int) -> ImageFont.FreeTypeFont:
    """The font of our own of this size in pixels."""
    return _load(_OWN, size)


def has_letters(text: str) -> bool:
    """Whether the fonts have all letters of a text."""
    return all(_find_font(each) is not None for each in text)


def measure_line(text: str, size: int) -> float:
    """The width of a line in pixels."""
    return sum(font.getlength(run) for run, font in _split_runs(text, size))


def write_line(
    pen: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    size: int,
    stroke: int = 0,
    *,
    colours: tuple[Colour, Colour] = (255, 255),
) -> None:
    """Write a line, its upper left corner at ``place``; letters of several fonts stand on one base.

    ``stroke`` is how wide the rim around letters is; ``colours`` are those of letters and rim.
    """
    fill, rim = colours
    x, base = place[0], place[1] + load_font(size).getmetrics()[0]
    for run, font in _split_runs(text, size):
        pen.text((x, base), run, fill, font, "ls", stroke_width=stroke, stroke_fill=rim)
        x += font.getlength(run)


def _split_runs(text: str, size: int) -> Iterator[tuple[str, ImageFont.FreeTypeFont]]:
    """A text in parts of one font; a letter that no font has is a question mark."""
    letters = [each if _find_font(each) else "?" for each in text]
    for path, run in groupby(letters, key=_find_font):
        yield "".join(run), _load(path or _OWN, size)


@cache
def _find_font(letter: str) -> Path | None:
    return next((path for path in (_OWN, *_list_others()) if _has(path, letter)), None)


@cache
def _list_others() -> tuple[Path, ...]:
    """The fonts of the system that are worth asking."""
    found = {path.name: path for folder in _FOLDERS for path in Path(folder).rglob("*.[to]t[fc]")}
    return tuple(found[name] for name in _OTHERS if name in found)


def _has(path: Path, letter: str) -> bool:
    """Whether a font draws a letter otherwise than one that it does not have."""
    if letter.isspace():
        return True
    font = _load(path, _TRIED)
    return bytes(font.getmask(letter)) != bytes(font.getmask(_MISSING))


@cache
def _load(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size)
