"""Graphics and text on an image (PS3.3 C.10.5), and the layers that they lie in (C.10.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pydicom.dataset import Dataset

from openmodality.errors import UsageError
from openmodality.objects.rules.elements import data_set_of
from openmodality.value_class import value_class

PointOfImage = tuple[float, float]
"""Column and row, from 0 at the corner of the first pixel (PS3.3 C.10.5.1.2); or parts of what is displayed, 0 to 1."""

PIXEL, DISPLAY = "PIXEL", "DISPLAY"
_POINTS: Final = {
    "POINT": (1, 1),
    "POLYLINE": (2, None),
    "INTERPOLATED": (2, None),
    "CIRCLE": (2, 2),
    "ELLIPSE": (4, 4),
}
"""How many points a Graphic Type (0070,0023) takes, at least and at most."""
_FILLED: Final = ("CIRCLE", "ELLIPSE")
_LONGEST_TEXT: Final = 1024
_LAYER: Final = "MARKS"


@value_class
class Graphic:
    """A drawing. A circle is its middle and a point on it, an ellipse the ends of its axes, the longer first.

    Raises :class:`UsageError` for a type that is none, or another number of points than it takes.
    """

    type: str
    points: Sequence[PointOfImage]
    filled: bool = False
    units: str = PIXEL
    layer: str = _LAYER

    def __post_init__(self) -> None:
        if self.type not in _POINTS:
            raise UsageError(f"{self.type!r} is no type of graphic", advice=f"one of {', '.join(_POINTS)}")
        least, most = _POINTS[self.type]
        if len(self.points) < least or (most is not None and len(self.points) > most):
            takes = str(least) if most == least else f"{least} or more"
            raise UsageError(f"a graphic of type {self.type} has {len(self.points)} points; it takes {takes}")
        _check_units(self.units)

    def make_item(self) -> Dataset:
        """An item of Graphic Object Sequence."""
        item = data_set_of(
            GraphicAnnotationUnits=self.units,
            GraphicDimensions=2,
            NumberOfGraphicPoints=len(self.points),
            GraphicData=[float(each) for point in self.points for each in point],
            GraphicType=self.type,
        )
        is_closed = self.type in _FILLED or (len(self.points) > 2 and self.points[0] == self.points[-1])
        if is_closed:
            item.GraphicFilled = "Y" if self.filled else "N"
        return item


@value_class
class Words:
    """Words at a point. Raises :class:`UsageError` where there are none, or more than 1,024 characters."""

    words: str
    anchor: PointOfImage
    units: str = PIXEL
    layer: str = _LAYER

    def __post_init__(self) -> None:
        if not self.words.strip() or len(self.words) > _LONGEST_TEXT:
            raise UsageError(f"a text has 1 to {_LONGEST_TEXT} characters, not {len(self.words)}")
        _check_units(self.units)

    def make_item(self) -> Dataset:
        """An item of Text Object Sequence."""
        return data_set_of(
            AnchorPointAnnotationUnits=self.units,
            UnformattedTextValue=self.words,
            AnchorPoint=[float(each) for each in self.anchor],
            AnchorPointVisibility="N",
        )


Mark = Graphic | Words


def make_annotations(marks: Iterable[Mark], references: Sequence[Dataset]) -> list[Dataset]:
    """Items of Graphic Annotation Sequence, one for each layer, for the images that ``references`` name."""
    layers: dict[str, list[Mark]] = {}
    for mark in marks:
        layers.setdefault(mark.layer, []).append(mark)
    return [_make_annotation(layer, those, references) for layer, those in layers.items()]


def _make_annotation(layer: str, marks: Sequence[Mark], references: Sequence[Dataset]) -> Dataset:
    item = data_set_of(GraphicLayer=layer)
    if references:
        item.ReferencedImageSequence = list(references)
    texts = [each.make_item() for each in marks if isinstance(each, Words)]
    graphics = [each.make_item() for each in marks if isinstance(each, Graphic)]
    if texts:
        item.TextObjectSequence = texts
    if graphics:
        item.GraphicObjectSequence = graphics
    return item


def make_layers(marks: Iterable[Mark]) -> list[Dataset]:
    """Items of Graphic Layer Sequence, the first layer lowest."""
    names = dict.fromkeys(mark.layer for mark in marks)
    return [data_set_of(GraphicLayer=name, GraphicLayerOrder=order) for order, name in enumerate(names, 1)]


def _check_units(units: str) -> None:
    if units not in (PIXEL, DISPLAY):
        raise UsageError(f"{units!r} are no units of an annotation", advice=f"{PIXEL} or {DISPLAY}")
