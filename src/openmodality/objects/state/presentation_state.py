"""Grayscale Softcopy Presentation State, as an instance (PS3.3 A.33.1; MR Annex A, Table 13.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from openmodality.errors import UsageError
from openmodality.objects.exam_facts import (
    ExamFacts,
    InstanceFacts,
    SeriesFacts,
    find_common_values,
    find_own_values,
    format_moment,
)
from openmodality.objects.instance import InstanceBuilder
from openmodality.objects.references import EvidenceReference, refer_to_instance
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import data_set_of
from openmodality.objects.state.marks import Mark, make_annotations, make_layers
from openmodality.standard.value_rules import format_decimal
from openmodality.value_class import value_class

IDENTITY, INVERSE = "IDENTITY", "INVERSE"
SCALE_TO_FIT, TRUE_SIZE, MAGNIFY = "SCALE TO FIT", "TRUE SIZE", "MAGNIFY"
_TURNS: Final = (0, 90, 180, 270)
_LONGEST_LABEL: Final = 16
_BITS: Final = range(9, 17)  # eight bits would be packed by two into a word
_LABEL_CHARACTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _")

Area = tuple[int, int, int, int]
"""Left column, top row, right column and bottom row, from 1; all of them are shown."""

Rescaling = tuple[float, float, str]
"""Rescale Slope, Intercept and Type."""


@value_class
class PresentedImage:
    """An image that a state is for, with what the state must know of it. ``spacing`` is row, column in mm."""

    reference: EvidenceReference
    rows: int
    columns: int
    spacing: tuple[float, float] | None = None
    rescale: Rescaling | None = None
    """That of the image, where it has one."""
    is_low_white: bool = False
    """Whether the image is MONOCHROME1, which a state does not ask for (PS3.4 N.2.1.3): it turns the shape itself."""
    anatomy: tuple[str, str] = ("", "")
    """(0018,0015) Body Part Examined and (0020,0060) Laterality, as the image says them."""


@value_class
class VoiTable:
    """A VOI LUT: ``values`` of ``bits`` bits from the input value ``first`` on, which the statement has unsigned.

    Raises :class:`UsageError` where a value does not fit, or there are none or over 65,536.
    """

    first: int
    bits: int
    values: Sequence[int]

    def __post_init__(self) -> None:
        if self.bits not in _BITS or not 1 <= len(self.values) <= 1 << 16:
            raise UsageError("a lookup table has 1 to 65536 values of 9 to 16 bits")
        if not 0 <= self.first < 1 << 16:
            raise UsageError("a lookup table begins at 0 to 65535", advice="use a window for values below 0")
        if min(self.values) < 0 or max(self.values) >> self.bits:
            raise UsageError(f"a lookup table of {self.bits} bits has a value that does not fit")

    def make_item(self) -> Dataset:
        """An item of VOI LUT Sequence (PS3.3 C.11.1.1)."""
        return data_set_of(LUTDescriptor=[len(self.values) % 65536, self.first, self.bits], LUTData=list(self.values))


@value_class
class Look:
    """How images are to be shown; what is not given stays as the image has it.

    ``window`` is center and width, after the rescale of the image. ``rotation`` is clockwise, before ``flip``, which is
    left to right. ``area`` is what is shown, the whole image by default. ``magnification`` is display pixels by image
    pixel, for the size MAGNIFY. Raises :class:`UsageError` for what no presentation state can say.
    """

    window: tuple[float, float] | None = None
    lut: VoiTable | None = None
    inverse: bool = False
    rotation: int = 0
    flip: bool = False
    area: Area | None = None
    size: str = SCALE_TO_FIT
    magnification: float | None = None
    marks: Sequence[Mark] = ()
    label: str = "LOOK"
    description: str = ""
    creator: str = ""

    def __post_init__(self) -> None:
        if self.window is not None and not self.window[1] >= 1:
            raise UsageError(f"a window cannot have the width {self.window[1]:g}", advice="the width is 1 or more")
        if self.window is not None and self.lut is not None:
            raise UsageError("a window and a lookup table exclude each other")
        if self.rotation not in _TURNS:
            raise UsageError(f"an image cannot be rotated by {self.rotation}", advice="0, 90, 180 or 270 degrees")
        if self.size not in (SCALE_TO_FIT, TRUE_SIZE, MAGNIFY):
            raise UsageError(f"{self.size!r} is no size", advice=f"{SCALE_TO_FIT}, {TRUE_SIZE} or {MAGNIFY}")
        if (self.size == MAGNIFY) != (self.magnification is not None) or (self.magnification or 1) <= 0:
            raise UsageError(f"the size {MAGNIFY} goes with a magnification above 0, and no other size does")
        if not 1 <= len(self.label) <= _LONGEST_LABEL or not set(self.label) <= _LABEL_CHARACTERS:
            raise UsageError(f"{self.label!r} is no label", advice="1 to 16 of A-Z, 0-9, space and _")


def build_presentation_state(
    definition: ObjectDefinition,
    exam: ExamFacts,
    series: SeriesFacts,
    instance: InstanceFacts,
    images: Sequence[PresentedImage],
    look: Look,
) -> Dataset:
    """The state as a data set with its file meta information.

    Raises :class:`UsageError` where the images do not go into one state, or an area or a mark is outside an image, and
    :class:`ObjectInvalid` where a mandatory attribute has no value.
    """
    check_images(images, look)
    day, time = format_moment(instance.created)
    values = find_common_values(exam, series)
    values.automatic.update(_describe_look(images, look))
    values.automatic.update(
        data_set_of(
            ContentLabel=look.label,
            ContentDescription=look.description,
            ContentCreatorName=look.creator,
            PresentationCreationDate=day,
            PresentationCreationTime=time,
            ReferencedSeriesSequence=_refer_to_series(images),
        )
    )
    return InstanceBuilder(definition, values).build(find_own_values(series, instance, _describe_anatomy(images)))


def _describe_anatomy(images: Sequence[PresentedImage]) -> Dataset:
    """Body part and side, which are those of the images where all of them say the same."""
    said = {each.anatomy for each in images}
    part, side = said.pop() if len(said) == 1 else ("", "")
    stated = {"BodyPartExamined": part, "Laterality": side}
    return data_set_of(**{keyword: value for keyword, value in stated.items() if value})


def check_images(images: Sequence[PresentedImage], look: Look) -> None:
    """Raises :class:`UsageError` where the images do not go into one state, or an area is outside of one."""
    if not images:
        raise UsageError("a presentation state is for one image at least")
    if len({each.reference.study_instance_uid for each in images}) > 1:
        raise UsageError("the images of a presentation state belong to one study", advice="make one for each study")
    if len({each.rescale for each in images}) > 1:
        raise UsageError("the images have different rescales", advice="make one presentation state for each")
    if len({each.is_low_white for each in images}) > 1:
        raise UsageError("some of the images are MONOCHROME1, others not", advice="make a presentation state for each")
    if look.size == TRUE_SIZE and any(each.spacing is None for each in images):
        raise UsageError(f"the size {TRUE_SIZE} requires images whose pixel spacing is known")
    for image in images:
        left, top, right, bottom = look.area or (1, 1, image.columns, image.rows)
        if not (1 <= left <= right <= image.columns and 1 <= top <= bottom <= image.rows):
            raise UsageError(
                f"the area {left},{top},{right},{bottom} is not within {image.columns} columns and {image.rows} rows"
            )


def _describe_look(images: Sequence[PresentedImage], look: Look) -> Dataset:
    data_set = data_set_of(
        DisplayedAreaSelectionSequence=_make_areas(images, look),
        PresentationLUTShape=INVERSE if look.inverse != images[0].is_low_white else IDENTITY,
    )
    if images[0].rescale is not None:
        slope, intercept, kind = images[0].rescale
        numbers = {"RescaleIntercept": format_decimal(intercept), "RescaleSlope": format_decimal(slope)}
        data_set.update(data_set_of(**numbers, RescaleType=kind or "US"))
    if look.window is not None:
        center, width = (format_decimal(float(each)) for each in look.window)
        data_set.SoftcopyVOILUTSequence = [data_set_of(WindowCenter=center, WindowWidth=width)]
    elif look.lut is not None:
        data_set.SoftcopyVOILUTSequence = [data_set_of(VOILUTSequence=[look.lut.make_item()])]
    if look.rotation or look.flip:
        data_set.update(data_set_of(ImageRotation=look.rotation, ImageHorizontalFlip="Y" if look.flip else "N"))
    if look.marks:
        data_set.GraphicAnnotationSequence = make_annotations(look.marks, ())
        data_set.GraphicLayerSequence = make_layers(look.marks)
    return data_set


def _make_areas(images: Sequence[PresentedImage], look: Look) -> list[Dataset]:
    """One item for all images of one size and spacing; without references where that is all of them."""
    groups: dict[tuple[object, ...], list[PresentedImage]] = {}
    for image in images:
        groups.setdefault((image.rows, image.columns, image.spacing), []).append(image)
    return [_make_area(those, look, refers=len(groups) > 1) for those in groups.values()]


def _make_area(images: Sequence[PresentedImage], look: Look, *, refers: bool) -> Dataset:
    first = images[0]
    left, top, right, bottom = _turn_area(look.area or (1, 1, first.columns, first.rows), look)
    item = data_set_of(
        DisplayedAreaTopLeftHandCorner=[left, top],
        DisplayedAreaBottomRightHandCorner=[right, bottom],
        PresentationSizeMode=look.size,
    )
    if refers:
        item.ReferencedImageSequence = [_refer(each) for each in images]
    if first.spacing is not None:
        item.PresentationPixelSpacing = [format_decimal(float(each)) for each in first.spacing]
    else:
        item.PresentationPixelAspectRatio = [1, 1]
    if look.magnification is not None:
        item.PresentationPixelMagnificationRatio = look.magnification
    return item


def _turn_area(area: Area, look: Look) -> Area:
    """The corners that are at the top left and the bottom right of the display once it is turned (PS3.3 C.10.4)."""
    left, top, right, bottom = area
    corners = {0: (left, top, right, bottom), 90: (left, bottom, right, top), 180: (right, bottom, left, top),
               270: (right, top, left, bottom)}  # fmt: skip
    first_column, first_row, last_column, last_row = corners[look.rotation]
    if not look.flip:
        return first_column, first_row, last_column, last_row
    if look.rotation in (0, 180):
        return last_column, first_row, first_column, last_row
    return first_column, last_row, last_column, first_row


def _refer_to_series(images: Sequence[PresentedImage]) -> list[Dataset]:
    series: dict[str, list[Dataset]] = {}
    for image in images:
        series.setdefault(image.reference.series_instance_uid, []).append(_refer(image))
    return [data_set_of(SeriesInstanceUID=uid, ReferencedImageSequence=items) for uid, items in series.items()]


def _refer(image: PresentedImage) -> Dataset:
    item = refer_to_instance(image.reference.sop_class_uid, image.reference.sop_instance_uid)
    if image.reference.frames:
        item.ReferencedFrameNumber = list(image.reference.frames)
    return item
