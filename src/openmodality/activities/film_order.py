"""The order of an operator to a film printer, and the film that follows: with chosen values, else the printer's usual.

An order is the parameters of a print job. It names what is printed by the instances of the job, so that a sheet that is
printed again after a failure is the same: an instance never changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, fields
from typing import Any, Final

from openmodality.device.site.printers import describe_layout_problem, list_printer_values, read_layout
from openmodality.device.site.site import Printer, Site
from openmodality.errors import UsageError
from openmodality.objects.film import Film, FilmSession
from openmodality.standard.film import MOST_COPIES, MOST_DENSITY, PRINT_PRIORITIES, DisplayFormat, parse_display_format
from openmodality.value_class import dataclass

NOT_FOR_DIAGNOSIS: Final = "Not for diagnosis"
"""The line at the foot of what comes out of a printer that is none of DICOM."""
"""RF-4.2.7.3.1.5.1-01."""
_SHADES: Final = ("BLACK", "WHITE")
_MOST_AT_ONCE: Final = 4
"""Columns and rows of the grid that is chosen where nobody names one."""


@dataclass(frozen=True, slots=True)
class FilmOrder:
    r"""The choices of an operator; for an empty value, or 0, the printer's usual one is taken.

    Densities are BLACK, WHITE or hundredths of optical density, ``min_density`` and ``max_density`` such hundredths.
    ``layout`` is ``3x4`` (columns and rows) or an image display format such as ``STANDARD\3,4``. ``window`` is center
    and width. ``frames`` are the frames of multi-frame images that are printed, by SOP Instance UID, where not all are.
    ``states`` are the presentation states that say how images are shown, and ``scouts`` the images in which lines show
    where the others cut them, both by SOP Instance UID. ``key_objects`` are the key object documents that name images.
    """

    layout: str = ""
    copies: int = 0
    priority: str = ""
    medium: str = ""
    destination: str = ""
    size: str = ""
    orientation: str = ""
    magnification: str = ""
    smoothing: str = ""
    configuration: str = ""
    label: str = ""
    border_density: str = ""
    empty_image_density: str = ""
    min_density: int | None = None
    max_density: int | None = None
    trim: str = ""
    window: tuple[float, float] | tuple[()] = ()
    annotation: bool = True
    true_size: bool = False
    mixed: bool = False
    frames: Mapping[str, Sequence[int]] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    scouts: tuple[str, ...] = ()
    key_objects: tuple[str, ...] = ()


def write_order(order: FilmOrder) -> dict[str, Any]:
    """An order as the parameters of a job."""
    return asdict(order)


def read_order(parameters: Mapping[str, Any]) -> FilmOrder:
    """The order in the parameters of a job; what a job of an earlier version does not have is as usual."""
    known: dict[str, Any] = {each.name: parameters[each.name] for each in fields(FilmOrder) if each.name in parameters}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in known.items()
    }  # fmt: skip
    return FilmOrder(**values)


def make_session(site: Site, printer: Printer, order: FilmOrder, count: int) -> FilmSession:
    """The film session of an order for ``count`` images; its one film, without images, is what all sheets are like.

    Raises :class:`UsageError` for a value that the printer does not have.
    """
    settings = printer.settings
    film = Film(
        image_display_format=str(_choose_layout(printer, order.layout, count)),
        film_orientation=_choose(printer, "film_orientations", order.orientation, "orientation"),
        film_size_id=_choose(printer, "film_sizes", order.size, "film size"),
        magnification_type=_choose(printer, "magnification_types", order.magnification, "magnification"),
        smoothing_type=_choose(printer, "smoothing_types", order.smoothing, "smoothing"),
        border_density=_choose_named("border density", order.border_density, settings.border_density, _SHADES),
        empty_image_density=_choose_named(
            "empty image density", order.empty_image_density, settings.empty_image_density, _SHADES
        ),
        min_density=_choose_density(order.min_density, printer.min_density),
        max_density=_choose_density(order.max_density, printer.max_density),
        trim=_choose_named("trim", order.trim, settings.trim, ("YES", "NO")),
        configuration_information=_choose(printer, "configuration_information", order.configuration, "configuration"),
        illumination=settings.illumination,
        reflected_ambient_light=settings.reflected_ambient_light,
        presentation_lut_shape=_choose_lut_shape(printer),
        foot="" if printer.peer else NOT_FOR_DIAGNOSIS,
    )
    return FilmSession(
        films=(film,),
        number_of_copies=_choose_copies(printer, order.copies),
        print_priority=_choose_priority(order.priority),
        medium_type=_choose(printer, "medium_types", order.medium, "medium"),
        film_destination=_choose(printer, "film_destinations", order.destination, "destination"),
        label=_choose_label(site, order.label),
        memory_allocation=settings.memory_allocation or None,
    )


def _choose(printer: Printer, setting: str, chosen: str, name: str) -> Any:
    """The chosen value, else the usual one, else None. Raises :class:`UsageError` for one that the printer lacks."""
    values = list_printer_values(printer, setting)
    if not chosen:
        return values[0] if values else None
    if chosen not in values:
        have = ", ".join(values) or "none"
        raise UsageError(f"printer {printer.name} has no {name} {chosen!r}", advice=f"it has: {have}")
    return chosen


def _choose_named(name: str, chosen: str, usual: str, named: Sequence[str]) -> Any:
    """The chosen value, one of ``named`` or a density in hundredths; else the usual one, None where that is empty."""
    is_density = named is _SHADES and chosen.isdecimal() and int(chosen) <= MOST_DENSITY
    if chosen and chosen not in named and not is_density:
        raise UsageError(f"{chosen!r} is no {name}", advice=f"it is {' or '.join(named)}")
    return chosen or usual or None


def _choose_density(chosen: int | None, usual: int) -> int:
    if chosen is not None and not 0 <= chosen <= MOST_DENSITY:
        raise UsageError(f"{chosen} is no density", advice=f"it is 0 to {MOST_DENSITY} hundredths of optical density")
    return usual if chosen is None else chosen


def _choose_copies(printer: Printer, chosen: int) -> int:
    if chosen and not 1 <= chosen <= MOST_COPIES:
        raise UsageError(f"{chosen} is no number of copies", advice=f"it is 1 to {MOST_COPIES}")
    return chosen or printer.parameters.integer("print.copies")


def _choose_priority(chosen: str) -> Any:
    if chosen not in ("", *PRINT_PRIORITIES):
        raise UsageError(f"{chosen!r} is no print priority", advice="it is LOW, MED or HIGH")
    return chosen or "MED"


def _choose_label(site: Site, label: str) -> str | None:
    knows_label = any(each.rule.keyword == "FilmSessionLabel" for each in site.profile.print_attributes)
    if label and not knows_label:
        raise UsageError(f"profile {site.profile.name} sends no Film Session Label", advice="print without a label")
    return label or None


def _choose_lut_shape(printer: Printer) -> Any:
    is_used = printer.parameters.boolean("print.presentation_lut") and not printer.is_color
    return printer.settings.presentation_lut or None if is_used else None


def _choose_layout(printer: Printer, text: str, count: int) -> DisplayFormat:
    """The chosen display format, else the smallest grid of the printer that holds all images, else its largest."""
    if not text:
        return _choose_grid(list_grids(printer), count)
    try:
        layout = read_layout(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no layout: {error}", advice="3x4 has 3 columns and 4 rows") from error
    if problem := describe_layout_problem(layout, printer):
        raise UsageError(problem)
    return layout


def list_grids(printer: Printer) -> list[DisplayFormat]:
    """The display formats that a person may choose from: those of the printer, else small grids of the device."""
    if printer.settings.layouts:
        return [parse_display_format(text) for text in printer.settings.layouts]
    sides = range(1, _MOST_AT_ONCE + 1)
    grids = [DisplayFormat("STANDARD", (columns, rows)) for rows in sides for columns in (rows - 1, rows) if columns]
    return [grid for grid in grids if not describe_layout_problem(grid, printer)]


def _choose_grid(layouts: Sequence[DisplayFormat], count: int) -> DisplayFormat:
    sized = sorted(layouts, key=lambda layout: layout.box_count or 1)
    return next((layout for layout in sized if (layout.box_count or 1) >= count), sized[-1])
