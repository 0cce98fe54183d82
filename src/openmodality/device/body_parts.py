"""(0018,0015) Body Part Examined: the terms that a device offers and takes (RF-8.1.1.6-05, DECISIONS MR 34).

What a person gives must be one of them. What comes from the worklist is used as it is, and the person is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Final

from pydicom.dataset import Dataset

from openmodality.device.profile.profile import Profile
from openmodality.dimse.reading import read_text
from openmodality.errors import UsageError
from openmodality.standard.tags import BODY_PART_EXAMINED

_NEAREST: Final = 3
_NEAR: Final = 0.6
"""How alike terms are that one may have been meant for the other, from 0 to 1."""


def list_offered_terms(profile: Profile) -> tuple[str, ...]:
    """The terms to choose from, in the order of the statement; empty where the device has no list."""
    return tuple(part.term for part in profile.body_parts if part.offered)


def check_body_part(profile: Profile, attributes: Dataset) -> None:
    """Raises :class:`UsageError` where a person gave a body part that is not of the device's list."""
    for term in _find_unknown(profile, attributes):
        offered = list_offered_terms(profile)
        nearest = get_close_matches(term.upper(), offered, n=_NEAREST, cutoff=_NEAR) or offered
        raise UsageError(
            f"{term!r} is no Body Part Examined (0018,0015) of this device",
            advice=f"use one of {', '.join(nearest)}",
        )


def describe_unknown_body_parts(profile: Profile, items: Iterable[tuple[int, Dataset]]) -> Iterator[str]:
    """The notice for the operator about scheduled body parts that the device's list lacks; items with their numbers."""
    for number, item in items:
        for term in _find_unknown(profile, item):
            yield f"worklist item {number} has Body Part Examined {term!r}, which this device does not list; it is kept"


def _find_unknown(profile: Profile, attributes: Dataset) -> Iterator[str]:
    """The value of Body Part Examined where it is not a term of the device; nothing where that has no list."""
    known = {part.term for part in profile.body_parts}
    term = read_text(attributes, BODY_PART_EXAMINED)
    if term and known and term not in known:
        yield term
