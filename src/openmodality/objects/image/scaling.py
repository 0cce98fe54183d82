"""Numbers of any real type become stored values by one slope and one intercept for a whole series.

Rules. Whole numbers that fit are stored as they are. Others, with ``scale="series"``, are spread from the smallest to
the largest of the series over all bits that the object allows, so that value = stored x slope + intercept is right to
half a step. ``scale=(low, high)`` spreads that range, and what lies outside is clipped. With ``scale="none"`` what does
not fit is refused. A slope is never chosen for one image: it would look like a change of the patient from slice to
slice.

All pixels are looked at before the first is stored: :class:`Survey` gathers their range, their share that is no number,
and a sample that the window is found from.
"""

from __future__ import annotations

from dataclasses import field
from math import ceil
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from openmodality.errors import ObjectInvalid
from openmodality.objects.image.pixel_rules import PixelRules
from openmodality.standard.value_rules import format_decimal
from openmodality.value_class import dataclass

Scale: TypeAlias = Literal["series", "none"] | tuple[float, float] | None
Nan: TypeAlias = Literal["refuse", "zero"]
Values: TypeAlias = NDArray[Any]

_USUAL_BITS: Final = (8, 12, 14, 16)
_SAMPLES_A_FRAME: Final = 1024
_MOST_SAMPLES: Final = 1 << 18
_SHOWN_SHARE: Final = (0.005, 0.995)
"""From which to which percentile of the values a window goes: some very bright voxels must not darken the rest."""
_SMALLEST_WIDTH: Final = 1.0
"""Of a window by the function LINEAR (PS3.3 C.11.2.1.2.1)."""
_LAST_DIGIT: Final = 1e-8
"""What the last digit of a Decimal String is worth at most, in parts of its value: beside sign, point and an exponent
of three digits nine have room."""
_SCALE_ADVICE: Final = 'say scale="series", scale="none" or scale=(low, high)'


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a caller would have numbers stored: ``scale`` None is ``series``; whole numbers that fit stay as they are.

    With ``nan="zero"`` NaN and infinity become zero; else they are refused.
    """

    scale: Scale = None
    nan: Nan = "refuse"

    def __post_init__(self) -> None:
        if self.nan not in ("refuse", "zero"):
            raise ObjectInvalid(f"nan is {self.nan!r:.64}", advice='leave it out, or say nan="zero"')
        if self.scale is None or (isinstance(self.scale, str) and self.scale in ("series", "none")):
            return
        try:
            low, high = (float(each) for each in self.scale)
        except (TypeError, ValueError) as error:
            raise ObjectInvalid(f"scale is {self.scale!r:.64}", advice=_SCALE_ADVICE) from error
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ObjectInvalid(
                f"scale is from {low:g} to {high:g}", advice="the first number is to be the smaller one"
            )


@dataclass(slots=True)
class Survey:
    """What all values of a series are like; given frame by frame."""

    nan: Nan = "refuse"
    low: float = np.inf
    high: float = -np.inf
    not_finite: int = 0
    count: int = 0
    is_whole: bool = True
    kind: str = "u"
    _sample: list[Values] = field(default_factory=list)
    _kept: int = 0

    def add(self, frame: Values) -> None:
        """Look at a frame of a real type."""
        frame = _unreverse(frame)
        self.kind = frame.dtype.kind
        self.count += frame.size
        if self.kind == "f":
            finite = np.isfinite(frame)
            bad = frame.size - int(np.count_nonzero(finite))
            if bad:
                self.not_finite += bad
                frame = np.where(finite, frame, 0) if self.nan == "zero" else frame[finite]
            self.is_whole = self.is_whole and bool((frame == np.rint(frame)).all())
        if frame.size:
            self.low = min(self.low, frame.min().item())
            self.high = max(self.high, frame.max().item())
            self._take_sample(frame)

    def _take_sample(self, frame: Values) -> None:
        flat = frame.reshape(-1)
        # An odd step, so that the sample is no single column of an image.
        self._sample.append(flat[:: flat.size // _SAMPLES_A_FRAME | 1].copy())
        self._kept += self._sample[-1].size
        if self._kept > _MOST_SAMPLES:
            self._sample = [np.concatenate(self._sample)[::2]]
            self._kept = self._sample[0].size

    def check(self) -> None:
        """Raises :class:`ObjectInvalid` where there are values that are no numbers and none said what they become."""
        if self.not_finite and self.nan != "zero":
            raise ObjectInvalid(
                f"{self.not_finite} of {self.count} values are NaN or infinite",
                advice='say nan="zero", or replace them',
            )

    def find_window(self) -> tuple[float, float]:
        """Center and width of a window for all images, in the units of the values."""
        if not self._sample:
            return 0.0, _SMALLEST_WIDTH
        sample = np.sort(np.concatenate(self._sample))
        last = sample.size - 1
        low, high = float(sample[int(last * _SHOWN_SHARE[0])]), float(sample[ceil(last * _SHOWN_SHARE[1])])
        if low == high:
            low, high = float(self.low), float(self.high)
        if self.kind == "f":
            return (low + high) / 2, high - low
        return (low + high + 1) // 2, high - low + 1  # the largest whole number is inside


def _unreverse(frame: Values) -> Values:
    """The same values in the order of their memory, in which numpy finds the largest in a tenth of the time."""
    return frame[tuple(slice(None, None, -1 if stride < 0 else 1) for stride in frame.strides)]


@dataclass(frozen=True, slots=True)
class StoredForm:
    """How values are stored: value = stored x ``slope`` + ``intercept``.

    ``bits`` is Bits Stored. ``is_scaled``: the values are not stored as they are.
    """

    slope: float
    intercept: float
    bits: int
    is_signed: bool
    is_scaled: bool
    nan: Nan = "refuse"

    @property
    def range(self) -> tuple[int, int]:
        """The smallest and the largest stored value."""
        return (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1) if self.is_signed else (0, (1 << self.bits) - 1)

    def store(self, frame: Values) -> tuple[Values, int]:
        """The stored values of a frame, and how many had to be clipped."""
        type_ = np.dtype("<i2" if self.is_signed else "<u2")
        if not self.is_scaled and frame.dtype.kind in "bui":
            return np.ascontiguousarray(frame, dtype=type_), 0
        values = frame.astype(np.float64)
        if self.nan == "zero" and frame.dtype.kind == "f":
            values[~np.isfinite(values)] = 0
        if self.is_scaled:
            values -= self.intercept
            values /= self.slope
        np.rint(values, out=values)
        low, high = self.range
        clipped = int(np.count_nonzero((values < low) | (values > high)))
        return np.ascontiguousarray(np.clip(values, low, high), dtype=type_), clipped


def choose_form(survey: Survey, rules: PixelRules, scaling: Scaling) -> StoredForm:
    """How the values of a series are stored in an object.

    Raises :class:`ObjectInvalid` where they cannot be: with the numbers, and what would help.
    """
    survey.check()
    low, high = (survey.low, survey.high) if survey.low <= survey.high else (0.0, 0.0)
    if not isinstance(scaling.scale, tuple | list):
        is_whole = survey.kind in "bui" or (scaling.scale == "none" and survey.is_whole)
        form = _find_plain(int(low), int(high), rules, scaling) if is_whole else None
        if form is not None:
            return form
        if scaling.scale == "none":
            raise _refuse_plain(survey, rules)
    else:
        low, high = float(scaling.scale[0]), float(scaling.scale[1])
    if low < 0 and rules.is_unsigned and not rules.has_rescale:
        raise ObjectInvalid(
            f"{rules.name}: values from {low:g} to {high:g}, and the object has no place for what lies below zero",
            advice="hand over values that begin at zero",
        )
    return _spread(low, high, rules, scaling, is_whole=survey.kind in "bui")


def _find_plain(low: int, high: int, rules: PixelRules, scaling: Scaling) -> StoredForm | None:
    """The form in which whole numbers are stored as they are; None where they do not fit."""
    if low >= 0:
        needed = max(high.bit_length(), 1)
        bits = _choose_bits(needed, rules)
        return None if bits is None else StoredForm(1.0, 0.0, bits, False, False, scaling.nan)
    needed = max(high.bit_length(), (-low - 1).bit_length()) + 1
    bits = None if rules.is_unsigned else _choose_bits(needed, rules)
    return None if bits is None else StoredForm(1.0, 0.0, bits, True, False, scaling.nan)


def _choose_bits(needed: int, rules: PixelRules) -> int | None:
    """The smallest usual Bits Stored that is enough, else the smallest of the object."""
    allowed = [bits for bits in rules.bits if bits >= needed]
    usual = [bits for bits in allowed if bits in _USUAL_BITS]
    return min(usual or allowed, default=None)


def _spread(low: float, high: float, rules: PixelRules, scaling: Scaling, *, is_whole: bool) -> StoredForm:
    """Spread a range over all bits; slope and intercept are what their Decimal Strings say."""
    bits = rules.most_bits
    steps = (1 << bits) - 1
    intercept = _round_down(low)
    # A shift alone loses nothing.
    slope = 1.0 if is_whole and high - intercept <= steps else _round_up((high - intercept) / steps)
    if not np.isfinite(slope) or not np.isfinite(intercept):
        raise ObjectInvalid(f"{rules.name}: values from {low:g} to {high:g} are too far apart to be spread")
    return StoredForm(slope or 1.0, intercept, bits, False, True, scaling.nan)


def _round_down(value: float) -> float:
    """The largest Decimal String that is not above a number."""
    text = float(format_decimal(value))
    return text if text <= value else float(format_decimal(value - abs(value) * _LAST_DIGIT))


def _round_up(value: float) -> float:
    text = float(format_decimal(value))
    return text if text >= value else float(format_decimal(value + abs(value) * _LAST_DIGIT))


def _refuse_plain(survey: Survey, rules: PixelRules) -> ObjectInvalid:
    what = "values with fractions" if not survey.is_whole and survey.kind == "f" else "values"
    sign = "unsigned" if rules.is_unsigned else "whole"
    return ObjectInvalid(
        f"{rules.name}: {what} from {survey.low:g} to {survey.high:g} do not fit {sign} numbers of "
        f"{rules.most_bits} bits as they are",
        advice='say scale="series" to have them spread, with slope and intercept, or scale=(low, high)',
    )
