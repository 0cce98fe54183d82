"""The pixels that an object allows, by the rules of its profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Self

from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.standard.tags import (
    BITS_STORED,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_REPRESENTATION,
    PLANAR_CONFIGURATION,
    REAL_WORLD_VALUE_MAPPING_SEQUENCE,
    RESCALE_SLOPE,
    SAMPLES_PER_PIXEL,
    VOI_LUT_FUNCTION,
)
from openmodality.value_class import dataclass

_MOST_BITS: Final = 16
_ANY_BITS: Final = tuple(range(9, 17))
"""Bits Stored of an object that says none: 8 of 16 allocated is right, and Orthanc shows it as pixels of one byte."""


@dataclass(frozen=True, slots=True)
class PixelRules:
    """``bits`` are the values that Bits Stored may have; ``is_unsigned``: no stored value is below zero."""

    name: str
    bits: tuple[int, ...]
    is_unsigned: bool
    is_monochrome2: bool
    has_rescale: bool
    has_colour: bool
    has_voi_function: bool
    has_real_world: bool

    @classmethod
    def of(cls, definition: ObjectDefinition) -> Self:
        """The rules of an object."""
        bits = definition.find_rule(BITS_STORED)
        interpretations = _list_allowed(definition, PHOTOMETRIC_INTERPRETATION)
        return cls(
            name=definition.name,
            bits=tuple(sorted(map(int, bits.values))) if bits is not None and bits.values else _ANY_BITS,
            is_unsigned=_list_allowed(definition, PIXEL_REPRESENTATION) == ("0",),
            is_monochrome2=interpretations == ("MONOCHROME2",),
            has_rescale=definition.find_rule(RESCALE_SLOPE) is not None,
            has_colour=_allows_colour(definition),
            has_voi_function=definition.find_rule(VOI_LUT_FUNCTION) is not None,
            has_real_world=definition.find_rule(REAL_WORLD_VALUE_MAPPING_SEQUENCE) is not None,
        )

    @property
    def most_bits(self) -> int:
        """The largest Bits Stored."""
        return min(max(self.bits), _MOST_BITS)


def refuse_bits(name: str, needed: int, allowed: Sequence[int]) -> ObjectInvalid:
    """The error that pixels need, or somebody states, more bits than an object allows."""
    return ObjectInvalid(
        f"{name}: (0028,0101) BitsStored of {needed} is more than the object allows",
        advice=f"give {' or '.join(map(str, allowed))}, or leave it out",
        tag=BITS_STORED,
    )


def _list_allowed(definition: ObjectDefinition, tag: int) -> tuple[str, ...]:
    """The only values that an attribute may have; none where it may have any."""
    rule = definition.find_rule(tag)
    return rule.values if rule is not None and rule.value_rule in ("fixed", "enumerated") else ()


def _allows_colour(definition: ObjectDefinition) -> bool:
    """Whether three samples a pixel have a place: no acquired image has them (PS3.3 C.8.3.1, C.8.7.1)."""
    samples, interpretations = (
        _list_allowed(definition, tag) for tag in (SAMPLES_PER_PIXEL, PHOTOMETRIC_INTERPRETATION)
    )
    return (
        any(rule.module == "SC Image" for rule in definition.rules)
        and definition.find_rule(PLANAR_CONFIGURATION) is not None
        and (not samples or "3" in samples)
        and (not interpretations or "RGB" in interpretations)
    )
