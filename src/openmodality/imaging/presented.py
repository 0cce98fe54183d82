"""An image as a Grayscale Softcopy Presentation State shows it: its pixels, the displayed area, graphics and text.

Marks are drawn last, in display coordinates, so that words stay readable where the image is turned or flipped. A mark
of a foreign state that lacks what it is drawn by is left out and noted in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from PIL import Image, ImageDraw
from pydicom import Dataset

from openmodality.imaging.frames import read_frame
from openmodality.imaging.letters import Colour, write_line
from openmodality.imaging.presentation import find_pixel_aspect, read_state_presentation, refers_to
from openmodality.imaging.render import Displayed, render
from openmodality.value_class import dataclass

_LEAST_SIDE: Final = 512
"""What is smaller is enlarged by a whole factor before marks are drawn on it."""
_LINE_STEP: Final = 1.2
_TEXT_PARTS: Final = 32
"""A line of text is this part of the shorter side high."""

_LEAST_POINTS: Final = {"POINT": 1, "CIRCLE": 2, "ELLIPSE": 4}
"""Points that a graphic is drawn by; every other kind has two at least."""

_Point = tuple[float, float]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Display:
    """From places in the image to places in the picture."""

    left: float
    top: float
    columns: float
    rows: float
    rotation: int
    flip: bool
    size: tuple[int, int]
    """Width and height of the picture."""
    offset: tuple[int, int] = (0, 0)
    """Where the picture begins on its canvas."""

    def place(self, point: _Point, units: str) -> _Point:
        """Where a point of an annotation is in the picture."""
        if units == "DISPLAY":
            return self._put(*point)
        across, down = (point[0] - self.left) / self.columns, (point[1] - self.top) / self.rows
        turned = {0: (across, down), 90: (1 - down, across), 180: (1 - across, 1 - down), 270: (down, 1 - across)}
        across, down = turned[self.rotation]
        return self._put(1 - across if self.flip else across, down)

    def _put(self, across: float, down: float) -> _Point:
        return self.offset[0] + across * self.size[0], self.offset[1] + down * self.size[1]


def draw_presented(state: Dataset, data_set: Dataset, number: int = 1) -> Displayed:
    """Frame ``number`` of an image as the state shows it, of uint8, shape (rows, columns); its longer side 512 or more.

    Raises :class:`ObjectInvalid` where the instance has no pixels that can be read.
    """
    presentation = read_state_presentation(state, data_set, number)
    shown = render(read_frame(data_set, number), replace(presentation, rotation=0, flip=False))
    left, top, right, bottom = read_area(state, data_set, number)
    shown = shown[top - 1 : bottom, left - 1 : right]
    picture = _enlarge(shown, find_pixel_aspect(data_set))
    turned = np.rot90(np.asarray(picture), -(presentation.rotation // 90))
    turned = np.fliplr(turned) if presentation.flip else turned
    height, width = turned.shape[:2]
    display = _Display(
        left - 1, top - 1, right - left + 1, bottom - top + 1, presentation.rotation, presentation.flip, (width, height)
    )
    return _draw_marks(np.ascontiguousarray(turned), state, data_set, number, display)


def burn_marks(
    shown: Displayed, greatest: int, image: tuple[Dataset, Dataset, int], offset: tuple[int, int], size: tuple[int, int]
) -> Displayed:
    """A copy of P-values up to ``greatest`` with the graphics and texts of a state in them.

    ``image`` is the state, the image and the number of its frame, ``offset`` and ``size`` tell where columns and rows
    of the displayed area are in the picture.
    """
    state, data_set, number = image
    left, top, right, bottom = read_area(state, data_set, number)
    turn = read_state_presentation(state, data_set, number)
    area = (left - 1, top - 1, right - left + 1, bottom - top + 1)
    display = _Display(*area, turn.rotation, turn.flip, size, offset)
    # Drawn on black and on white, a mark shows its own value and how much of the picture it covers.
    on_black, on_white = (
        _draw_marks(np.full(shown.shape[:2], value, np.uint8), state, data_set, number, display).astype(np.float64)
        for value in (0, 255)
    )
    shape = (*on_black.shape, *(1,) * (shown.ndim - 2))
    covered = (1 - (on_white - on_black) / 255).reshape(shape)
    marked = shown * (1 - covered) + on_black.reshape(shape) / 255 * greatest
    return np.asarray(np.rint(marked), dtype=shown.dtype)


def read_area(state: Dataset, data_set: Dataset, number: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is displayed, within the image, from 1, whichever way the state turns it."""
    columns, rows = int(data_set.Columns), int(data_set.Rows)
    for item in state.get("DisplayedAreaSelectionSequence") or []:
        if refers_to(item, data_set, number):
            first, last = item.DisplayedAreaTopLeftHandCorner, item.DisplayedAreaBottomRightHandCorner
            across, down = sorted((int(first[0]), int(last[0]))), sorted((int(first[1]), int(last[1])))
            left, right = (min(max(each, 1), columns) for each in across)
            top, bottom = (min(max(each, 1), rows) for each in down)
            return left, top, right, bottom
    return 1, 1, columns, rows


def list_marks(state: Dataset, data_set: Dataset, number: int) -> list[dict[str, object]]:
    """The graphics and texts of a state for a frame as plain values, the lowest layer first; what is incomplete not."""
    marks: list[dict[str, object]] = []
    for item in _list_annotations(state, data_set, number):
        for graphic in item.get("GraphicObjectSequence") or []:
            kind, points = str(graphic.get("GraphicType") or ""), _pair(graphic.get("GraphicData"))
            if graphic.get("GraphicAnnotationUnits") and len(points) >= _LEAST_POINTS.get(kind, 2):
                units, filled = str(graphic.GraphicAnnotationUnits), graphic.get("GraphicFilled") == "Y"
                marks.append({"type": kind, "points": points, "units": units, "filled": filled})
        for text in item.get("TextObjectSequence") or []:
            if (place := _find_anchor(text)) is not None and text.get("UnformattedTextValue"):
                words = str(text.UnformattedTextValue)
                marks.append({"type": "TEXT", "points": [place[0]], "units": place[1], "words": words})
    return marks


def _enlarge(shown: Displayed, aspect: float) -> Image.Image:
    rows, columns = shown.shape[:2]
    height = rows * max(aspect, 1.0)
    width = columns * max(1 / aspect, 1.0)
    factor = max(1, int(np.ceil(_LEAST_SIDE / max(width, height))))
    return Image.fromarray(shown).resize((round(width * factor), round(height * factor)), Image.Resampling.BICUBIC)


def _draw_marks(shown: Displayed, state: Dataset, data_set: Dataset, number: int, display: _Display) -> Displayed:
    picture = Image.fromarray(shown)
    pen = ImageDraw.Draw(picture)
    light = 255 if picture.mode == "L" else (255, 255, 255)
    dark = 0 if picture.mode == "L" else (0, 0, 0)
    thickness = max(1, min(display.size) // 256)
    for item in _list_annotations(state, data_set, number):
        for graphic in item.get("GraphicObjectSequence") or []:
            kind, points = str(graphic.get("GraphicType") or ""), _find_points(graphic, display)
            if len(points) < _LEAST_POINTS.get(kind, 2):
                _note_incomplete(state, kind or "graphic")
                continue
            filled = graphic.get("GraphicFilled") == "Y"
            for colour, width in ((dark, thickness + 2), (light, thickness)):
                _draw_graphic(pen, kind, points, colour, width, filled=filled and colour == light)
        for text in item.get("TextObjectSequence") or []:
            if (place := _find_place(text, display)) is None or not text.get("UnformattedTextValue"):
                _note_incomplete(state, "text")
            else:
                _write(pen, str(text.UnformattedTextValue), place, display, (light, dark))
    return np.asarray(picture)


def _list_annotations(state: Dataset, data_set: Dataset, number: int) -> Iterator[Dataset]:
    """The annotations of the frame, the lowest layer first."""
    layers = {
        str(each.get("GraphicLayer")): int(each.get("GraphicLayerOrder") or 0)
        for each in state.get("GraphicLayerSequence") or []
    }
    items = [item for item in state.get("GraphicAnnotationSequence") or [] if refers_to(item, data_set, number)]
    yield from sorted(items, key=lambda item: layers.get(str(item.get("GraphicLayer")), 0))


def _find_points(graphic: Dataset, display: _Display) -> list[_Point]:
    """The points of a graphic in the picture; none where it has no units or no data."""
    units = graphic.get("GraphicAnnotationUnits")
    return [display.place(point, str(units)) for point in _pair(graphic.get("GraphicData"))] if units else []


def _find_place(text: Dataset, display: _Display) -> _Point | None:
    """Where words begin in the picture; None where neither anchor nor box is whole."""
    anchor = _find_anchor(text)
    return display.place(*anchor) if anchor is not None else None


def _find_anchor(text: Dataset) -> tuple[_Point, str] | None:
    """The anchor point of words, or the top left corner of their box, with its units; None where neither is whole."""
    for point, units in (
        ("AnchorPoint", "AnchorPointAnnotationUnits"),
        ("BoundingBoxTopLeftHandCorner", "BoundingBoxAnnotationUnits"),
    ):
        if text.get(units) and (points := _pair(text.get(point))):
            return points[0], str(text.get(units))
    return None


def _note_incomplete(state: Dataset, mark: str) -> None:
    uid = str(state.get("SOPInstanceUID") or "")
    log.warning("presentation.incomplete_mark", extra={"sop_instance_uid": uid, "kind": mark})


def _pair(values: object) -> list[_Point]:
    if values is None:
        return []
    numbers = [float(each) for each in np.atleast_1d(np.asarray(values, dtype=float))]
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _draw_graphic(
    pen: ImageDraw.ImageDraw, kind: str, points: list[_Point], colour: Colour, width: int, *, filled: bool
) -> None:
    draw: Callable[..., None] = pen.line
    if kind == "POINT":
        [(across, down)] = points[:1]
        pen.line([(across - 4 * width, down), (across + 4 * width, down)], fill=colour, width=width)
        pen.line([(across, down - 4 * width), (across, down + 4 * width)], fill=colour, width=width)
        return
    if kind in ("CIRCLE", "ELLIPSE"):
        points = _outline(kind, points)
    if filled:
        pen.polygon(points, fill=colour)
    draw(points, fill=colour, width=width, joint="curve")


def _outline(kind: str, points: list[_Point]) -> list[_Point]:
    """A circle or an ellipse as a closed line, turned with the image."""
    given = np.asarray(points)
    if kind == "CIRCLE":
        middle, first = given[0], given[1] - given[0]
        second = np.array([-first[1], first[0]])
    else:
        middle = (given[0] + given[1]) / 2
        first, second = (given[1] - given[0]) / 2, (given[3] - given[2]) / 2
    angles = np.linspace(0, 2 * np.pi, 73)[:, None]
    return [(float(x), float(y)) for x, y in middle + np.cos(angles) * first + np.sin(angles) * second]


def _write(
    pen: ImageDraw.ImageDraw, text: str, place: _Point, display: _Display, colours: tuple[Colour, Colour]
) -> None:
    size = max(10, min(display.size) // _TEXT_PARTS)
    for number, line in enumerate(text.splitlines()):
        write_line(pen, (place[0], place[1] + number * size * _LINE_STEP), line, size, 1, colours=colours)
