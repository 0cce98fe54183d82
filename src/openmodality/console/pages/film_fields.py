"""The fields of a film: what the printer has to choose from, what was chosen, and the order that comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from openmodality.activities.film_order import FilmOrder, list_grids
from openmodality.console.trays import Tray
from openmodality.device.site.printers import list_printer_values
from openmodality.device.site.site import Printer
from openmodality.errors import UsageError
from openmodality.standard.film import MOST_COPIES, MOST_DENSITY, PRINT_PRIORITIES
from openmodality.value_class import dataclass

_SETTINGS: Final = (
    ("size", "Film size", "film_sizes"),
    ("orientation", "Orientation", "film_orientations"),
    ("medium", "Medium", "medium_types"),
    ("destination", "Destination", "film_destinations"),
    ("magnification", "Magnification", "magnification_types"),
    ("smoothing", "Smoothing", "smoothing_types"),
    ("configuration", "Configuration", "configuration_information"),
)
_SHADES: Final = ("BLACK", "WHITE")
TICKS: Final = (("annotation", "Text in the images"), ("true_size", "As large as in the patient"))
FILM_NUMBERS: Final = (
    ("copies", "Copies", 1, MOST_COPIES),
    ("min_density", "Min density", 0, MOST_DENSITY),
    ("max_density", "Max density", 0, MOST_DENSITY),
)
"""Whole numbers with their ranges (RF-4.2.7.3.1.5.1-01, RF-4.2.7.3.1.6.1-01)."""
_DECIMALS: Final = (("window_center", "Window center"), ("window_width", "Window width"))


@dataclass(frozen=True, slots=True)
class FilmField:
    """A field: a choice of ``options``, each a value and what is shown, or without any a number within a range.

    ``error`` says what is wrong with what was typed.
    """

    name: str
    label: str
    value: str
    options: Sequence[tuple[str, str]] = ()
    least: str = ""
    most: str = ""
    step: str = ""
    hint: str = ""
    error: str = ""


FIELD_NAMES: Final = (
    *("printer", "layout", "border_density", "empty_image_density", "trim", "priority"),
    *(name for name, _, _ in _SETTINGS),
    *(name for name, _, _, _ in FILM_NUMBERS),
    *(name for name, _ in (*_DECIMALS, *TICKS)),
)


def list_fields(printer: Printer, choices: Mapping[str, str], errors: Mapping[str, str]) -> list[FilmField]:
    """The fields for a printer, with what was chosen, else what is usual for it. What it has one of is not asked."""
    layouts = [("", "smallest that holds all")]
    layouts += [(str(grid), _describe_grid(grid.kind, grid.numbers)) for grid in list_grids(printer)]
    fields = [FilmField("layout", "Layout", choices.get("layout", ""), layouts)]
    for name, label, setting in _SETTINGS:
        values = list_printer_values(printer, setting)
        if len(values) > 1:
            fields.append(_make_choice(name, label, values, choices, values[0]))
    settings = printer.settings
    for name, label, usual in (
        ("border_density", "Border", settings.border_density),
        ("empty_image_density", "Empty images", settings.empty_image_density),
    ):
        fields.append(_make_choice(name, label, tuple(dict.fromkeys((usual or "BLACK", *_SHADES))), choices, usual))
    if settings.trim:
        fields.append(_make_choice("trim", "Trim", ("YES", "NO"), choices, settings.trim))
    fields.append(_make_choice("priority", "Priority", PRINT_PRIORITIES, choices, "MED"))
    usual_numbers = {
        "copies": printer.parameters.integer("print.copies"),
        "min_density": printer.min_density,
        "max_density": printer.max_density,
    }
    for name, label, least, most in FILM_NUMBERS:
        value = choices.get(name) or str(usual_numbers[name])
        hint = f"{least} to {most}"
        fields.append(FilmField(name, label, value, (), str(least), str(most), "1", hint, errors.get(name, "")))
    for name, label in _DECIMALS:
        hint = "empty: the images' own"
        fields.append(FilmField(name, label, choices.get(name, ""), (), "", "", "any", hint, errors.get(name, "")))
    return fields


def _make_choice(
    name: str, label: str, values: Sequence[str], choices: Mapping[str, str], usual: str
) -> FilmField:  # fmt: skip
    chosen = choices.get(name, "")
    return FilmField(name, label, chosen if chosen in values else usual, [(value, value) for value in values])


def _describe_grid(kind: str, numbers: Sequence[int]) -> str:
    if kind == "STANDARD":
        return f"{numbers[0]} x {numbers[1]}"
    return f"{kind} {','.join(map(str, numbers))}".strip()


def find_errors(choices: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with numbers that were typed, by field."""
    errors = {}
    for name, label, least, most in FILM_NUMBERS:
        value = choices.get(name, "")
        if value and not (value.isdecimal() and least <= int(value) <= most):
            errors[name] = f"{label} is a whole number from {least} to {most}."
    for name, label in _DECIMALS:
        if (value := choices.get(name, "")) and _read_number(value) is None:
            errors[name] = f"{label} is a number."
    width = _read_number(choices.get("window_width", ""))
    if width is not None and width < 1:
        errors["window_width"] = "Window width is 1 or more."
    if bool(choices.get("window_width")) != bool(choices.get("window_center")):
        errors["window_width"] = "A window has center and width."
    return errors


def _read_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None


def make_order(printer: Printer, tray: Tray) -> FilmOrder:
    """The order of a film. Raises :class:`UsageError` for a number that is none or out of its range.

    What this printer does not have, since another one was chosen before, is as usual for it.
    """
    choices, errors = tray.choices, find_errors(tray.choices)
    if errors:
        raise UsageError(next(iter(errors.values())).rstrip("."), advice="correct the field that is marked")
    known: dict[str, Any] = {
        name: choices[name]
        for name, _, setting in _SETTINGS
        if choices.get(name, "") in list_printer_values(printer, setting)
    }
    layouts = [str(grid) for grid in list_grids(printer)]
    window = (choices.get("window_center"), choices.get("window_width"))
    return FilmOrder(
        layout=choices.get("layout", "") if choices.get("layout", "") in layouts else "",
        copies=int(choices.get("copies") or 0),
        priority=choices.get("priority", ""),
        **known,
        border_density=choices.get("border_density", ""),
        empty_image_density=choices.get("empty_image_density", ""),
        min_density=int(choices["min_density"]) if choices.get("min_density") else None,
        max_density=int(choices["max_density"]) if choices.get("max_density") else None,
        trim=choices.get("trim", "") if printer.settings.trim else "",
        window=(float(window[0]), float(window[1])) if window[0] and window[1] else (),
        annotation=choices.get("annotation", "yes") == "yes",
        true_size=choices.get("true_size") == "yes",
        mixed=len(tray.patients) > 1,
        frames={item.uid: list(item.frames) for item in tray.items if item.frames},
    )
