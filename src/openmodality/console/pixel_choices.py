"""The choices of an operator for images that the page of an exam makes: their object, and their display shutter.

Only what the profile lets a user say is asked for: attributes whose source is the user (RF-8.1.1.6-04, -11).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from openmodality.console.security.access import Form
from openmodality.device.modalities import list_modalities
from openmodality.device.profile.profile import Profile
from openmodality.value_class import dataclass

_MOST_PIXELS: Final = 65_536
_SHAPE: Final = "ShutterShape"
EDGES: Final = (
    ("ShutterLeftVerticalEdge", "Left edge (column)"),
    ("ShutterRightVerticalEdge", "Right edge (column)"),
    ("ShutterUpperHorizontalEdge", "Upper edge (row)"),
    ("ShutterLowerHorizontalEdge", "Lower edge (row)"),
)
"""The edges of a rectangular shutter (PS3.3 C.7.6.11): the first columns and rows that are not shown, from 1 on."""


@dataclass(frozen=True, slots=True)
class PixelChoices:
    """What was chosen: the object by its name, the edges as they were typed; what is wrong by the name of its field."""

    object_name: str = ""
    edges: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def make_options(self) -> dict[str, Any]:
        """As options of :meth:`openmodality.exam.session.Exam.acquire`."""
        options: dict[str, Any] = {"object": self.object_name} if self.object_name else {}
        if self.edges:
            numbers = {keyword: int(typed) for keyword, typed in self.edges.items()}
            options["keywords"] = {_SHAPE: "RECTANGULAR", **numbers, "ShutterPresentationValue": 0}
        return options


NOTHING_CHOSEN: Final = PixelChoices()


def list_offered_objects(profile: Profile) -> Sequence[str]:
    """The objects to choose from, where the device makes images of several modalities; else none."""
    names = [each.name for each in profile.objects if each.is_image]
    return names if len(list_modalities(profile)) > 1 else ()


def offers_shutter(profile: Profile) -> bool:
    """Whether the display shutter of images is set by the user of this device."""
    return any(rule.keyword == _SHAPE and "USER" in rule.sources for rule in profile.attribute_rules)


def read_pixel_choices(profile: Profile, form: Form) -> PixelChoices:
    """What a form has chosen."""
    errors = {}
    if (name := form["object"]) and name not in list_offered_objects(profile):
        errors["object"] = "This device makes no such images: choose one of the list."
    typed = {keyword: form[keyword] for keyword, _ in EDGES if form[keyword]} if offers_shutter(profile) else {}
    return PixelChoices(name, typed, {**errors, **_find_mistakes(typed)})


def _find_mistakes(typed: Mapping[str, str]) -> dict[str, str]:
    if not typed:
        return {}
    errors = {keyword: "Give all four edges, or none." for keyword, _ in EDGES if keyword not in typed}
    for keyword, text in typed.items():
        if not text.isascii() or not text.isdecimal() or int(text) > _MOST_PIXELS:
            errors[keyword] = f"A whole number from 0 to {_MOST_PIXELS}."
    if errors:
        return errors
    for (less, _), (greater, label) in (EDGES[:2], EDGES[2:]):
        if int(typed[less]) + 1 >= int(typed[greater]):
            errors[greater] = f"{label}: nothing would be left to see between this edge and the other."
    return errors
