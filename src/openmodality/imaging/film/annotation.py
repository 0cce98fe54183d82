"""Writes into a picture on film: patient, study and image, the letters of its sides, and a scale."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom import Dataset

from openmodality.imaging.letters import has_letters, load_font, measure_line, write_line
from openmodality.imaging.render import Displayed
from openmodality.standard.text_rules import clean_text
from openmodality.value_class import dataclass

_LINE_SHARE = 1 / 45
"""Height of a line of text as a share of the shorter side of a picture."""
_LEAST_LINE = 9
_LINE_STEP = 1.2
"""From line to line, in heights of a line."""
_MOST_LINES: Final = 3
"""How many lines a text of the patient may take: two patients may differ at the end of a name."""
_SCALES_MM: Final = (500, 200, 100, 50, 20, 10, 5, 2, 1)

Point = tuple[float, float]
"""Column and row in pixels of the picture."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Lines of text for the four corners, letters for the four edges, a scale, and lines across the picture.

    ``spacing`` is mm for a pixel; ``None`` draws no scale.
    """

    upper_left: tuple[str, ...] = ()
    upper_right: tuple[str, ...] = ()
    lower_left: tuple[str, ...] = ()
    lower_right: tuple[str, ...] = ()
    left: str = ""
    right: str = ""
    top: str = ""
    bottom: str = ""
    spacing: float | None = None
    lines: tuple[tuple[Point, Point], ...] = ()


def read_annotation(data_set: Dataset, number: int = 1) -> Annotation:
    """What the attributes of an image say of patient, place, study, image and directions.

    Of a name that group is written which the fonts have letters for.
    """

    def value(keyword: str) -> str:
        found = data_set.get(keyword)
        return clean_text(str(found)).strip() if found not in (None, "") else ""

    born, taken = value("PatientBirthDate"), value("StudyDate")
    frame = f" frame {number}" if (data_set.get("NumberOfFrames") or 1) != 1 else ""
    image = f"{value('Modality')} series {value('SeriesNumber')} image {value('InstanceNumber')}{frame}"
    left, top, right, bottom = read_directions(data_set)
    return Annotation(
        upper_left=_keep_said(
            _read_name(value("PatientName")),
            value("PatientID"),
            " ".join(_keep_said(_format_date(born), value("PatientSex"))),
        ),
        upper_right=_keep_said(value("InstitutionName"), value("StationName"), _format_date(taken)),
        lower_left=_keep_said(value("StudyDescription"), value("SeriesDescription"), image),
        lower_right=_keep_said(*([value("AccessionNumber")] if value("AccessionNumber") else [])),
        left=left,
        top=top,
        right=right,
        bottom=bottom,
    )


def read_directions(data_set: Dataset) -> tuple[str, str, str, str]:
    """Letters for left, top, right and bottom: from (0020,0037), else from (0020,0020); empty where neither tells."""
    cosines = [float(value) for value in data_set.get("ImageOrientationPatient") or []]
    if len(cosines) == 6:
        right, bottom = _find_letters(cosines[:3]), _find_letters(cosines[3:])
        return _opposite(right), _opposite(bottom), right, bottom
    letters = [str(each) for each in data_set.get("PatientOrientation") or []]
    if len(letters) == 2 and all(letters):
        return _opposite(letters[0]), _opposite(letters[1]), letters[0], letters[1]
    return "", "", "", ""


def turn_directions(annotation: Annotation, rotation: int, *, flip: bool) -> Annotation:
    """The letters at the edges of a picture that is rotated clockwise and then flipped left to right."""
    around = [annotation.left, annotation.top, annotation.right, annotation.bottom]
    steps = rotation // 90 % 4
    left, top, right, bottom = around[-steps:] + around[:-steps] if steps else around
    left, right = (right, left) if flip else (left, right)
    return replace(annotation, left=left, top=top, right=right, bottom=bottom)


def burn_in(picture: Displayed, annotation: Annotation, greatest: int) -> Displayed:
    """A copy of ``picture`` with the annotation in it, white (``greatest``) with a black rim."""
    height, width = picture.shape[:2]
    size = max(round(min(height, width) * _LINE_SHARE), _LEAST_LINE)
    fill, rim = Image.new("L", (width, height)), Image.new("L", (width, height))
    pens = (ImageDraw.Draw(fill), 0), (ImageDraw.Draw(rim), max(size // 8, 1))
    for pen, stroke in pens:
        _write_corners(pen, stroke, annotation, size, (width, height))
        _write_edges(pen, stroke, annotation, size, (width, height))
        _draw_scale(pen, stroke, annotation.spacing, size, (width, height))
        for start, end in annotation.lines:
            pen.line((start, end), fill=255, width=max(size // 10, 1) + 2 * stroke)
    return _blend(picture, np.asarray(rim), np.asarray(fill), greatest)


def _blend(picture: Displayed, rim: NDArray[np.uint8], fill: NDArray[np.uint8], greatest: int) -> Displayed:
    """Where nothing is written, the picture stays as it is."""
    rims, fills = rim.reshape(-1), fill.reshape(-1)
    written = np.flatnonzero((rims | fills) != 0)  # of one dimension: found ten times as soon as in two
    blended = picture.copy()
    pixels = blended.reshape(-1, *picture.shape[2:])
    shape = (-1, *(1,) * (picture.ndim - 2))
    dark = pixels[written] * (1 - rims[written].reshape(shape) / 255)
    light: NDArray[Any] = dark + (greatest - dark) * (fills[written].reshape(shape) / 255)
    pixels[written] = np.rint(light)
    return blended


def _write_corners(pen: ImageDraw.ImageDraw, stroke: int, texts: Annotation, size: int, area: tuple[int, int]) -> None:
    margin = size // 2
    for lines, anchor in (
        (texts.upper_left, "la"),
        (texts.upper_right, "ra"),
        (texts.lower_left, "ld"),
        (texts.lower_right, "rd"),
    ):
        x = margin if anchor[0] == "l" else area[0] - margin
        y = margin if anchor[1] == "a" else area[1] - margin
        room = area[0] - 2 * margin if anchor[1] == "d" else (area[0] - 3 * margin) // 2
        step = round(size * _LINE_STEP)
        most = _MOST_LINES if lines is texts.upper_left else 1
        wrapped = [part for line in lines for part in _wrap(line, size, room, most)]
        top = y if anchor[1] == "a" else y - step * len(wrapped)
        for number, text in enumerate(wrapped):
            left = x if anchor[0] == "l" else x - measure_line(text, size)
            write_line(pen, (left, top + number * step), text, size, stroke)


def _write_edges(pen: ImageDraw.ImageDraw, stroke: int, texts: Annotation, size: int, area: tuple[int, int]) -> None:
    margin, (width, height) = size // 2, area
    for text, place, anchor in (
        (texts.left, (margin, height // 2), "lm"),
        (texts.right, (width - margin, height // 2), "rm"),
        (texts.top, (width // 2, margin), "ma"),
        (texts.bottom, (width // 2, height - margin), "md"),
    ):
        if text:
            pen.text(place, text, 255, load_font(round(size * 1.3)), anchor, stroke_width=stroke)


def _draw_scale(pen: ImageDraw.ImageDraw, stroke: int, spacing: float | None, size: int, area: tuple[int, int]) -> None:
    """A bar of whole millimetres along the right edge, at most a third of the picture, with ticks each tenth."""
    if spacing is None:
        return
    length_mm = next((scale for scale in _SCALES_MM if scale / spacing <= area[1] / 3), None)
    if length_mm is None:
        return
    x, length, thick = area[0] - 2 * size, length_mm / spacing, max(size // 10, 1) + 2 * stroke
    top = (area[1] - length) / 2
    if length < 3 * size:
        return
    pen.line((x, top, x, top + length), fill=255, width=thick)
    for tick in range(11):
        wide = size if tick in (0, 10) else size // 2
        y = top + length * tick / 10
        pen.line((x - wide, y, x, y), fill=255, width=thick)
    pen.text((x, top + length + size // 4), f"{length_mm} mm", 255, load_font(size), "ma", stroke_width=stroke)


def _wrap(text: str, size: int, room: int, most: int) -> list[str]:
    """``text`` on as many lines as it takes, at most so many, broken at blanks where there are some; more is cut."""
    lines: list[str] = []
    while text and measure_line(text, size) > room and len(lines) < most - 1:
        ends = range(2, len(text) + 1)
        fitting = 1 + bisect_right(ends, float(room), key=lambda end: measure_line(text[:end], size))
        blank = text.rfind(" ", 0, fitting + 1)
        lines.append(text[: blank if blank > 0 else fitting])
        text = text[len(lines[-1]) :].lstrip()
    return [*lines, _shorten(text, size, room)] if text else lines


def _shorten(text: str, size: int, room: int) -> str:
    """``text`` as far as it fits, with an ellipsis where it is cut."""
    if measure_line(text, size) <= room:
        return text
    fitting = bisect_right(range(len(text)), float(room), key=lambda end: measure_line(text[:end] + "…", size))
    return text[: max(fitting - 1, 0)] + "…"


def _find_letters(direction: Sequence[float]) -> str:
    """The patient directions of a vector, the greatest first; a part below a sixth of the greatest is left out."""
    names = (("L", "R"), ("P", "A"), ("H", "F"))
    order = sorted(range(3), key=lambda axis: -abs(direction[axis]))
    least = max(abs(direction[order[0]]) / 6, 1e-4)
    return "".join(names[axis][direction[axis] < 0] for axis in order if abs(direction[axis]) > least)


def _opposite(letters: str) -> str:
    return letters.translate(str.maketrans("LRPAHF", "RLAPFH"))


def _read_name(name: str) -> str:
    """The first group of a name that can be written; where none can, the first that says something."""
    groups = [group for group in name.split("=") if group.strip("^ ")] or [""]
    family, *others = next(filter(has_letters, groups), groups[0]).split("^")
    return ", ".join(part for part in (family, " ".join(filter(None, others))) if part)


def _format_date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def _keep_said(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)
