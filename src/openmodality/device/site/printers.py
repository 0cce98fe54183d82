"""Printers of a site against what the device prints: its display formats, and the values of its print attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from openmodality.device.profile.profile import Profile
from openmodality.device.site.site import Printer
from openmodality.standard.film import DisplayFormat, parse_display_format

_GRID: Final = re.compile(r"([1-9][0-9]?)x([1-9][0-9]?)")
_SETTINGS: Final = {
    "FilmOrientation": "film_orientations",
    "FilmSizeID": "film_sizes",
    "MediumType": "medium_types",
    "FilmDestination": "film_destinations",
    "MagnificationType": "magnification_types",
    "SmoothingType": "smoothing_types",
    "ConfigurationInformation": "configuration_information",
    "BorderDensity": "border_density",
    "EmptyImageDensity": "empty_image_density",
    "Trim": "trim",
    "BitsStored": "bits",
    "PhotometricInterpretation": "photometric_interpretation",
}
"""The setting from which an attribute has its values."""


def find_misfits(printer: Printer, profile: Profile) -> Iterator[tuple[str, str]]:
    """The settings of a printer that do not fit the device, each with the reason.

    A printer without DICOM is sent no attributes: only its layouts are checked.
    """
    for text in printer.settings.layouts:
        if problem := describe_layout_problem(parse_display_format(text), printer):
            yield "layouts", problem
    if printer.settings.automatic_layout and (problem := _describe_automatic_problem(printer)):
        yield "automatic_layout", problem
    if printer.peer is not None:
        yield from _find_attribute_misfits(printer, profile)


def _describe_automatic_problem(printer: Printer) -> str:
    try:
        layout = read_layout(printer.settings.automatic_layout)
    except ValueError as error:
        return str(error)
    return describe_layout_problem(layout, printer)


def _find_attribute_misfits(printer: Printer, profile: Profile) -> Iterator[tuple[str, str]]:
    if printer.settings.print_by == "session" and not printer.parameters.boolean("print.session_printing"):
        yield "print_by", f"profile {profile.name} prints film by film"
    for attribute in profile.print_attributes:
        rule, setting = attribute.rule, _SETTINGS.get(attribute.rule.keyword)
        is_left_out = rule.keyword in printer.settings.left_out
        if setting is None or is_left_out or attribute.sop_class == "Basic Color Image Box":
            continue
        values = list_printer_values(printer, setting)
        if rule.requirement == "ALWAYS" and not values:
            yield setting, f"is empty: profile {profile.name} always sends {rule.keyword}"
        allowed = rule.values if rule.value_rule == "enumerated" else values
        if wrong := [value for value in values if value not in allowed]:
            yield setting, f"{wrong[0]!r} is not one of {', '.join(allowed)} of profile {profile.name}"


def list_printer_values(printer: Printer, setting: str) -> tuple[str, ...]:
    """What a setting of a printer has, the usual value first; for sizes and media also what the parameters say."""
    own = {"film_sizes": printer.film_sizes, "medium_types": printer.medium_types}
    value = own.get(setting) or getattr(printer.settings, setting)
    values = value if isinstance(value, tuple) else (value,)
    return tuple(str(each) for each in values if each != "")


def read_layout(text: str) -> DisplayFormat:
    r"""A layout as people write it: ``3x4``, columns and rows, or a format such as ``ROW\2,3``.

    Raises :class:`ValueError` where it is neither.
    """
    grid = _GRID.fullmatch(text)
    return parse_display_format(f"STANDARD\\{grid[1]},{grid[2]}" if grid else text)


def describe_layout_problem(layout: DisplayFormat, printer: Printer) -> str:
    """Why this device does not print a display format on this printer; empty where it does."""
    parameters = printer.parameters
    if layout.kind not in parameters.texts("print.display_formats"):
        return f"{layout} is not of the kinds of this device: {', '.join(parameters.texts('print.display_formats'))}"
    most = parameters.integer("print.max_columns"), parameters.integer("print.max_rows")
    if layout.kind == "STANDARD" and any(map(int.__gt__, layout.numbers, most)):
        return f"{layout} has more than the {most[0]} columns and {most[1]} rows of this device"
    if printer.settings.layouts and str(layout) not in printer.settings.layouts:
        return f"printer {printer.name} does not take {layout}; it takes {', '.join(printer.settings.layouts)}"
    return ""
