"""From chosen frames to sheets of film: each image box gets the P-values that the printer is sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from PIL import Image
from pydicom import Dataset

from openmodality.errors import UsageError
from openmodality.imaging.film.annotation import Annotation, Point, burn_in, read_annotation, turn_directions
from openmodality.imaging.film.layout import Box, place_boxes
from openmodality.imaging.film.localiser import find_localiser_lines
from openmodality.imaging.frames import read_frame
from openmodality.imaging.presentation import Presentation, find_pixel_aspect, read_image_presentation, read_spacing
from openmodality.imaging.presented import burn_marks, read_area
from openmodality.imaging.render import Displayed, render, square_pixels, turn
from openmodality.objects.film import Film, FilmImage
from openmodality.value_class import dataclass

Matrix = tuple[int, int]
"""Rows and columns."""

_READABLE = 1024
"""Least length of the longer side in pixels of a picture that text is written into."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmSource:
    """A frame to be printed. ``presentation`` is an operator's or a presentation state's; else the image's own.

    ``state`` is a presentation state whose displayed area, graphics and texts are printed too.
    Lines in the picture show where the images ``cut_by`` cut it.
    """

    data_set: Dataset
    number: int = 1
    presentation: Presentation | None = None
    cut_by: Sequence[Dataset] = ()
    state: Dataset | None = None


@dataclass(frozen=True, slots=True)
class Composition:
    """How pictures are made. ``matrices`` are the only sizes of a picture, where the printer's statement has such.

    ``true_size``: as large on the film as in the patient. ``mixed``: images of several patients may stand on one sheet.
    """

    bits: Literal[8, 12] = 8
    colour: bool = False
    matrices: tuple[Matrix, ...] = ()
    annotation: bool = True
    true_size: bool = False
    mixed: bool = False


def compose_films(sources: Sequence[FilmSource], film: Film, how: Composition) -> tuple[Film, ...]:
    """As many sheets like ``film`` as the sources need, filled in their order.

    Raises :class:`UsageError` where there are no sources, where images of several patients would stand on one sheet,
    or where an image has no true size or is larger than its box, and :class:`ObjectInvalid` for pixels that cannot be
    read. Memory: the pictures of all sheets.
    """
    if not sources:
        raise UsageError("there is no image to print: choose a study, a series or images")
    boxes = place_boxes(film)
    sheets = [sources[start : start + len(boxes)] for start in range(0, len(sources), len(boxes))]
    if not how.mixed:
        for sheet in sheets:
            _require_one_patient(sheet)
    return tuple(replace(film, images=tuple(_compose(sheet, boxes, how))) for sheet in sheets)


def _require_one_patient(sheet: Sequence[FilmSource]) -> None:
    patients = {
        (str(source.data_set.get("PatientID") or ""), str(source.data_set.get("PatientName") or "")) for source in sheet
    }
    if len(patients) > 1:
        raise UsageError(
            f"images of {len(patients)} patients would stand on one sheet: "
            "print those of each patient by themselves, or say that they may be mixed"
        )


def _compose(sheet: Sequence[FilmSource], boxes: Sequence[Box], how: Composition) -> Iterator[FilmImage]:
    for position, (source, box) in enumerate(zip(sheet, boxes, strict=False), start=1):
        picture = _render(source, how)
        picture = picture.fit(_choose_matrix(how.matrices, box), enlarge=how.annotation)
        yield FilmImage(
            position=position,
            pixels=picture.annotate(source, how),
            bits=8 if how.colour else how.bits,
            photometric_interpretation="RGB" if how.colour else "MONOCHROME2",
            requested_image_size_mm=picture.measure_true_size(box) if how.true_size else None,
        )


def _choose_matrix(matrices: Sequence[Matrix], box: Box) -> Matrix | None:
    """The matrix whose shape is nearest to that of the box; ``None`` where any will do."""
    return min(matrices, key=lambda each: abs(each[1] / each[0] - box.width / box.height), default=None)


@dataclass(frozen=True, slots=True, eq=False)
class _Picture:
    """P-values up to ``greatest``, with square pixels of ``spacing`` mm.

    ``scale`` is pixels for a column and a row of the frame, ``offset`` where its first pixel lies, ``size`` how wide
    and high it is. It is turned by ``rotation`` and then by ``flip``; where it ``is_part``, of the frame it shows only
    a part. ``name`` says which image it is in an error.
    """

    shown: Displayed
    greatest: int
    spacing: float | None
    name: str
    scale: tuple[float, float]
    size: tuple[int, int]
    offset: tuple[int, int] = (0, 0)
    rotation: int = 0
    flip: bool = False
    is_part: bool = False

    def fit(self, matrix: Matrix | None, *, enlarge: bool) -> _Picture:
        """The picture as large as fits into the matrix, with black around; or large enough to be written into."""
        rows, columns = self.shown.shape[:2]
        if matrix is None:
            if not enlarge or max(rows, columns) >= _READABLE:
                return self
            factor = _READABLE / max(rows, columns)
            return self._resize(factor, (round(rows * factor), round(columns * factor)))
        return self._resize(min(matrix[0] / rows, matrix[1] / columns), matrix)

    def _resize(self, factor: float, matrix: Matrix) -> _Picture:
        rows = max(min(round(self.shown.shape[0] * factor), matrix[0]), 1)
        columns = max(min(round(self.shown.shape[1] * factor), matrix[1]), 1)
        canvas = np.zeros((*matrix, *self.shown.shape[2:]), dtype=self.shown.dtype)
        top, left = (matrix[0] - rows) // 2, (matrix[1] - columns) // 2
        canvas[top : top + rows, left : left + columns] = _resample(self.shown, rows, columns)
        return replace(
            self,
            shown=canvas,
            spacing=self.spacing / factor if self.spacing else None,
            scale=(self.scale[0] * factor, self.scale[1] * factor),
            size=(columns, rows),
            offset=(left, top),
        )

    def annotate(self, source: FilmSource, how: Composition) -> Displayed:
        """The P-values with what is to be written into them."""
        picture = self.shown
        if source.state is not None:
            image = (source.state, source.data_set, source.number)
            picture = burn_marks(picture, self.greatest, image, self.offset, self.size)
        annotation = Annotation(lines=self._find_lines(source))
        if how.annotation:
            read = turn_directions(read_annotation(source.data_set, source.number), self.rotation, flip=self.flip)
            annotation = replace(read, lines=annotation.lines, spacing=self.spacing)
        elif not annotation.lines:
            return picture
        return burn_in(picture, annotation, self.greatest)

    def _find_lines(self, source: FilmSource) -> tuple[tuple[Point, Point], ...]:
        """Where other slices cut the frame; none in a picture that is not as the frame lies."""
        if self.rotation or self.flip or self.is_part:
            return ()
        return find_localiser_lines(source.data_set, source.cut_by, self.scale, self.offset)

    def measure_true_size(self, box: Box) -> float:
        """(2020,0030) Requested Image Size: the width in mm of the picture in the patient."""
        if self.spacing is None:
            raise UsageError(f"{self.name} has no true size: it has neither Pixel Spacing nor Imager Pixel Spacing")
        height, width = self.shown.shape[0] * self.spacing, self.shown.shape[1] * self.spacing
        if width > box.width + 0.5 or height > box.height + 0.5:
            raise UsageError(
                f"{self.name} is {width:.0f} x {height:.0f} mm in true size, and its place on the film is "
                f"{box.width:.0f} x {box.height:.0f} mm: take a larger film or fewer images on it"
            )
        return float(width)


def _render(source: FilmSource, how: Composition) -> _Picture:
    data_set = source.data_set
    presentation = source.presentation or read_image_presentation(data_set, source.number)
    bits = 8 if how.colour else how.bits
    frame = read_frame(data_set, source.number)
    shown = render(frame, replace(presentation, rotation=0, flip=False), bits=bits)
    whole = shown.shape[:2]
    if source.state is not None:
        left, top, right, bottom = read_area(source.state, data_set, source.number)
        shown = shown[top - 1 : bottom, left - 1 : right]
    if shown.ndim == 3 and not how.colour:
        shown = _as_grey(shown, bits)
    elif how.colour and shown.ndim == 2:
        shown = np.repeat(shown[..., np.newaxis], 3, axis=2)
    aspect, spacing = find_pixel_aspect(data_set), read_spacing(data_set, source.number)
    turned = turn(square_pixels(shown, aspect), presentation)
    return _Picture(
        turned,
        greatest=2**bits - 1,
        spacing=min(spacing) if spacing else None,
        name=f"image {data_set.get('SOPInstanceUID', 'without UID')}",
        scale=(max(1 / aspect, 1.0), max(aspect, 1.0)),
        size=(turned.shape[1], turned.shape[0]),
        rotation=presentation.rotation,
        flip=presentation.flip,
        is_part=shown.shape[:2] != whole,
    )


def _as_grey(colours: Displayed, bits: int) -> Displayed:
    """Luminance of RGB (PS3.3 C.7.6.3.1.2), in as many bits as grey pictures have."""
    luminance = colours @ np.array([0.2990, 0.5870, 0.1140]) * ((2**bits - 1) / 255)
    return np.asarray(np.rint(luminance), dtype=np.uint8 if bits == 8 else np.uint16)


def _resample(shown: Displayed, rows: int, columns: int) -> Displayed:
    """Bilinear where pixels become more, an average where they become fewer."""
    if shown.shape[:2] == (rows, columns):
        return shown
    fewer = rows < shown.shape[0]
    filter_ = Image.Resampling.BOX if fewer else Image.Resampling.BILINEAR
    if shown.dtype == np.uint8:
        return np.asarray(Image.fromarray(shown).resize((columns, rows), filter_), dtype=np.uint8)
    wide = Image.fromarray(shown.astype(np.float32)).resize((columns, rows), filter_)
    return np.asarray(np.rint(np.asarray(wide)), dtype=np.uint16)
