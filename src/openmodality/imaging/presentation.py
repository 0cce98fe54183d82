"""Tells how a frame is to be shown: by its own attributes, by a presentation state, or by an operator's choice.

A presentation is the grey scale pipeline of PS3.4 N.2 as values: modality LUT, VOI LUT, presentation LUT, then
shutters, rotation and flip. A step that the instance does not state leaves the pixels unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from pydicom import Dataset
from pydicom.multival import MultiValue

from openmodality.imaging.lookup import LINEAR, UNCHANGED, LookupTable, PixelFunction, Rescale, Window
from openmodality.imaging.palette import Palette, read_palette
from openmodality.imaging.shutter import Shutter, read_shutters
from openmodality.value_class import dataclass

IDENTITY, INVERSE = "IDENTITY", "INVERSE"


@dataclass(frozen=True, slots=True)
class Presentation:
    """The steps from stored values to what is seen.

    ``voi`` is ``None`` where nothing says which values are of interest. ``inverse`` turns black and white;
    ``presentation`` is a Presentation LUT and goes before it. ``shutter_value`` is a P-value of 0 to 65,535.
    ``rotation`` is clockwise, in degrees, and comes before ``flip``, which is left to right (PS3.3 C.10.6).
    ``palette`` gives some stored values colours, whatever the grey scale does.
    """

    modality: PixelFunction = UNCHANGED
    voi: PixelFunction | None = None
    presentation: LookupTable | None = None
    inverse: bool = False
    shutters: tuple[Shutter, ...] = ()
    shutter_value: int = 0
    rotation: int = 0
    flip: bool = False
    palette: Palette | None = None

    def with_window(self, center: float, width: float, function: str = LINEAR) -> Presentation:
        """The same with a window of the operator's choice."""
        return replace(self, voi=Window(center, width, function))


def read_image_presentation(data_set: Dataset, number: int = 1) -> Presentation:
    """What an image says of its frame ``number``: the first window or else the first VOI LUT.

    The functional groups of the frame, and those shared by all, go before the attributes of the data set.
    """
    places = list(list_frame_places(data_set, number))
    return Presentation(
        modality=_read_modality_lut(places),
        voi=_read_voi(places),
        inverse=_is_inverse(data_set),
        shutters=read_shutters(data_set, find_pixel_aspect(data_set)),
        shutter_value=_number(data_set, "ShutterPresentationValue", 0),
        palette=read_palette(data_set) if _is_in_colour(places) else None,
    )


def read_state_presentation(state: Dataset, data_set: Dataset, number: int = 1) -> Presentation:
    """What a Grayscale Softcopy Presentation State (PS3.3 A.33.1) says of frame ``number`` of an image.

    A step that the state does not have is none, except the modality LUT: its absence means that stored values are used
    as they are.
    """
    shape = str(state.get("PresentationLUTShape") or "")
    return Presentation(
        modality=_read_modality_lut([state]),
        voi=_read_state_voi(state, data_set, number),
        presentation=next((_read_table(item) for item in state.get("PresentationLUTSequence") or []), None),
        inverse=shape == INVERSE,
        shutters=read_shutters(state, find_pixel_aspect(data_set)),
        shutter_value=_number(state, "ShutterPresentationValue", 0),
        rotation=_number(state, "ImageRotation", 0) % 360,
        flip=state.get("ImageHorizontalFlip") == "Y",
    )


def list_frame_places(data_set: Dataset, number: int) -> Iterator[Dataset]:
    """Where an attribute of a frame can stand, the nearest first."""
    per_frame = data_set.get("PerFrameFunctionalGroupsSequence") or []
    groups = [*per_frame[number - 1 : number], *(data_set.get("SharedFunctionalGroupsSequence") or [])]
    for group in groups:
        for element in group:
            if element.VR == "SQ" and element.value:
                yield element.value[0]
    yield data_set


def read_spacing(data_set: Dataset, number: int = 1) -> tuple[float, float] | None:
    """From row to row and from column to column in mm: in the patient, else at the detector; ``None`` where unknown."""
    found = read_spacing_as(data_set, number)
    return found[0] if found else None


def read_spacing_as(data_set: Dataset, number: int = 1) -> tuple[tuple[float, float], str] | None:
    """As :func:`read_spacing`, with the keyword of the attribute that says it."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing"):
        for place in list_frame_places(data_set, number):
            pair = _read_numbers(place.get(keyword))
            if len(pair) == 2 and min(pair) > 0:
                return (pair[0], pair[1]), keyword
    return None


def list_windows(data_set: Dataset, number: int = 1) -> list[tuple[str, Window]]:
    """All windows that an image offers for a frame, each with what (0028,1055) says it is for."""
    for place in list_frame_places(data_set, number):
        centers, widths = _read_numbers(place.get("WindowCenter")), _read_numbers(place.get("WindowWidth"))
        if centers and widths:
            function = str(place.get("VOILUTFunction") or LINEAR)
            said = place.get("WindowCenterWidthExplanation")
            names = [str(each) for each in said] if isinstance(said, MultiValue | list) else [str(said or "")]
            pairs = zip(centers, widths, strict=False)
            return [
                (names[place] if place < len(names) else "", Window(center, width, function))
                for place, (center, width) in enumerate(pairs)
            ]
    return []


def find_pixel_aspect(data_set: Dataset) -> float:
    """The height of a pixel divided by its width; 1 where the image does not say it (PS3.3 C.7.6.3.1.7)."""
    for place in list_frame_places(data_set, 1):
        for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing", "PixelAspectRatio"):
            pair = _read_numbers(place.get(keyword))
            if len(pair) == 2 and min(pair) > 0:
                return pair[0] / pair[1]
    return 1.0


def _read_modality_lut(places: list[Dataset]) -> PixelFunction:
    for place in places:
        for item in place.get("ModalityLUTSequence") or []:
            return _read_table(item)
        slope, intercept = _read_numbers(place.get("RescaleSlope")), _read_numbers(place.get("RescaleIntercept"))
        if slope and intercept:
            return Rescale(slope[0], intercept[0])
    return UNCHANGED


def _read_voi(places: list[Dataset]) -> PixelFunction | None:
    for place in places:
        centers, widths = _read_numbers(place.get("WindowCenter")), _read_numbers(place.get("WindowWidth"))
        if centers and widths:
            return Window(centers[0], widths[0], str(place.get("VOILUTFunction") or LINEAR))
    return next((_read_table(item) for place in places for item in place.get("VOILUTSequence") or []), None)


def _is_in_colour(places: list[Dataset]) -> bool:
    """Whether (0008,9205) Pixel Presentation of the frame, else of its image, asks for the palette."""
    said = next((str(place.PixelPresentation) for place in places if place.get("PixelPresentation")), "")
    return said in ("COLOR", "MIXED")


def _read_state_voi(state: Dataset, data_set: Dataset, number: int) -> PixelFunction | None:
    for item in state.get("SoftcopyVOILUTSequence") or []:
        if refers_to(item, data_set, number):
            return _read_voi([item])
    return None


def refers_to(item: Dataset, data_set: Dataset, number: int) -> bool:
    """Whether an item of a presentation state holds for a frame; without references it holds for all."""
    references = item.get("ReferencedImageSequence") or []
    own = [each for each in references if each.get("ReferencedSOPInstanceUID") == data_set.get("SOPInstanceUID")]
    if not references:
        return True
    frames = [_read_numbers(each.get("ReferencedFrameNumber")) for each in own]
    return any(not listed or number in listed for listed in frames)


def _is_inverse(data_set: Dataset) -> bool:
    """MONOCHROME1 shows low values white; a Presentation LUT Shape says so itself (PS3.3 C.7.6.3.1.2, C.11.6)."""
    shape = data_set.get("PresentationLUTShape")
    if shape in (IDENTITY, INVERSE):
        return bool(shape == INVERSE)
    return bool(data_set.get("PhotometricInterpretation") == "MONOCHROME1")


def _read_table(item: Dataset) -> LookupTable:
    """A LUT sequence item (PS3.3 C.11.1.1.1); a first descriptor value of 0 means 65,536 entries."""
    length, first, bits = (int(each) for each in item.LUTDescriptor)
    length = length % 65536 or 65536
    raw = item.LUTData
    if isinstance(raw, bytes):
        wide = len(raw) >= 2 * length
        entries = np.frombuffer(raw, "<u2" if wide else "u1").astype(np.float64)
    else:
        entries = np.asarray(raw if isinstance(raw, MultiValue | list) else [raw], dtype=np.float64)
    return LookupTable(entries[:length], first, bits)


def _read_numbers(value: object) -> list[float]:
    """The numbers of a value, however many there are; none where one of them is no number."""
    if value is None or value == "":
        return []
    values = value if isinstance(value, MultiValue | list | tuple) else [value]
    try:
        numbers = [float(str(each)) for each in values]
    except ValueError:
        return []
    return numbers if all(np.isfinite(numbers)) else []


def _number(data_set: Dataset, keyword: str, otherwise: int) -> int:
    numbers = _read_numbers(data_set.get(keyword))
    return int(numbers[0]) if numbers else otherwise
