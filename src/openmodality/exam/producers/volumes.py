"""Turns a volume into images: which series it gives, how its numbers are stored, and the notices about that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom import Dataset

from openmodality.acquisition.source import AcquiredFrame
from openmodality.acquisition.spool import NumberedFrames, SpooledFrames
from openmodality.acquisition.stack import Stack
from openmodality.acquisition.volume import Parts
from openmodality.errors import ObjectInvalid
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.objects.image.scaling import Scaling, StoredForm, Survey, Values, choose_form
from openmodality.objects.image.value_display import describe_display, describe_values
from openmodality.objects.rules.elements import list_elements, make_data_set
from openmodality.value_class import dataclass

_REAL_KINDS: Final = "buif"
_COLOUR_SAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Component:
    """What is taken of each value for one series; ``component`` is Image Type value 3 (PS3.3 C.8.3.1.1.1)."""

    take: Callable[[Values], Values]
    component: str = ""
    units: str = ""


_AS_IT_IS: Final = Component(lambda values: values)
_MAGNITUDE: Final = Component(np.abs, "M")
_PHASE: Final = Component(np.angle, "P", "rad")


def is_plain(pixels: Values) -> bool:
    """Whether an array may be stored as it is by every object: unsigned, of at most 16 bits, and grey."""
    kind = pixels.dtype
    return (kind.kind in "bu" and kind.itemsize <= 2) and not (
        kind == np.uint8 and pixels.ndim > 2 and pixels.shape[-1] == _COLOUR_SAMPLES
    )


def choose_parts(dtype: np.dtype[Any], parts: Parts) -> tuple[Component, ...]:
    """The parts to take of values of a type; each part gives a series.

    Raises :class:`ObjectInvalid` where they are no numbers, or have no such parts.
    """
    if parts not in ("magnitude", "magnitude+phase"):
        raise ObjectInvalid(f"parts is {parts!r:.64}", advice='say parts="magnitude" or parts="magnitude+phase"')
    if dtype.kind == "c":
        return (_MAGNITUDE, _PHASE) if parts == "magnitude+phase" else (_MAGNITUDE,)
    if dtype.kind not in _REAL_KINDS:
        raise ObjectInvalid(f"numbers of type {dtype} are not pixel values", advice="hand over real or complex numbers")
    if parts != "magnitude":
        raise ObjectInvalid(f"values of type {dtype} have no phase", advice="hand over complex numbers")
    return (_AS_IT_IS,)


@dataclass(frozen=True, slots=True)
class _Again:
    """Frames that may be walked again, a part of each."""

    frames: NumberedFrames
    part: Component

    def __iter__(self) -> Iterator[tuple[int, Values]]:
        for number, values in self.frames:
            yield number, self.part.take(values)


def keep_walkable(stack: Stack, folder: Path) -> NumberedFrames:
    """The frames of a stack, which can be walked several times."""
    return stack.frames if stack.dtype is not None else SpooledFrames.of(stack.frames, folder)


@dataclass(slots=True)
class PreparedPart:
    """A part of a volume, looked through: its frames as they are stored. ``unused`` says what is lost, and why."""

    frames: Iterable[tuple[int, Values]]
    form: StoredForm | None
    shared: Dataset
    unused: dict[str, str]
    clipped: int = 0
    count: int = 0

    def walk(self, stack: Stack) -> Iterator[tuple[int, AcquiredFrame]]:
        """The images with their numbers in the volume."""
        said = list_elements(stack.shared)
        shared = {**said, **list_elements(self.shared)}
        for number, values in self.frames:
            own = list_elements(stack.own[number - 1])
            if self.form is None:
                stored = np.ascontiguousarray(values)
            else:
                stored, clipped = self.form.store(values)
                self.clipped += clipped
                self.count += values.size
            yield number, AcquiredFrame(stored, make_data_set({**shared, **own}), make_data_set({**said, **own}))
        if self.clipped:
            self.unused["scale"] = f"{self.clipped} of {self.count} values lie outside of it and are clipped"


def prepare_part(
    frames: NumberedFrames,
    part: Component,
    said: Dataset,
    rules: PixelRules,
    scaling: Scaling,
    earlier: StoredForm | None,
) -> PreparedPart:
    """Look through all values and decide how they are stored; ``said`` is what the caller says of the whole series.

    ``earlier`` is how images of the series are stored already, if they are scaled.

    Raises :class:`ObjectInvalid` where the object has no place for them.
    """
    again, survey = _Again(frames, part), Survey(scaling.nan)
    for _, values in again:
        if values.ndim == 3:
            return PreparedPart(again, None, Dataset(), {})
        survey.add(values)
    form = choose_form(survey, rules, scaling)
    if form.is_scaled and earlier is not None and not isinstance(scaling.scale, tuple):
        form = _keep_form(earlier, survey)
    shared = describe_values(form, said, rules, part.units)
    shared.update(describe_display(survey, form, said, shared, rules))
    if part.component:
        shared.ImageType = _name_component(said, part.component)
    unused = {}
    if form.is_scaled and not rules.has_rescale:
        unused["scale"] = f"{rules.name} has no place for value = stored x {form.slope:g} + {form.intercept:g}"
    return PreparedPart(again, form, shared, unused)


def _keep_form(earlier: StoredForm, survey: Survey) -> StoredForm:
    """The form of the earlier images. Raises :class:`ObjectInvalid` where the values lie outside of its range."""
    low, high = (earlier.slope * each + earlier.intercept for each in earlier.range)
    if survey.low < low - earlier.slope or survey.high > high + earlier.slope:
        raise ObjectInvalid(
            f"values from {survey.low:g} to {survey.high:g}, and images before were spread from {low:g} to {high:g}",
            advice="hand over all images in one call, or say scale=(low, high) in each",
        )
    return earlier


def _name_component(said: Dataset, component: str) -> list[str]:
    """Image Type with the component as value 3."""
    given = list(said.get("ImageType") or ("ORIGINAL", "PRIMARY"))
    return [*(given + ["PRIMARY"] * 2)[:2], component, *given[3:]]


def walk_parts(
    prepared: Sequence[PreparedPart], stack: Stack, progress: Callable[[int, int], None]
) -> Iterator[tuple[int, AcquiredFrame]]:
    """The frames of all parts of a volume, numbered one part after the other."""
    count = stack.shape[0]
    for before, each in zip(range(0, count * len(prepared), count), prepared, strict=True):
        for number, frame in each.walk(stack):
            yield before + number, frame
            progress(number, count)
