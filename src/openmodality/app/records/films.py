"""Film printers as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openmodality.device.site.site import Printer


def printer_as_json(printer: Printer, reported: Mapping[str, Any]) -> dict[str, Any]:
    """A printer of the site for a program, and what it says of itself."""
    settings = [{"setting": name, "values": values} for name, values in list_printer_settings(printer).items()]
    return {
        "printer": printer.name,
        "peer": name_printer_peer(printer),
        "configured": settings,
        "reported": dict(reported),
    }


def name_printer_peer(printer: Printer) -> str:
    """The peer that a printer is, empty for one outside DICOM."""
    return printer.peer.name if printer.peer else ""


def list_printer_settings(printer: Printer) -> dict[str, list[str]]:
    """The settings of a printer as texts, in the order of the site file; none where one is not set."""
    known = {
        **printer.settings.model_dump(exclude={"peer"}),
        "film_sizes": printer.film_sizes,
        "medium_types": printer.medium_types,
        "min_density": printer.min_density,
        "max_density": printer.max_density,
    }
    return {
        name: [str(each) for each in (value if isinstance(value, tuple) else (value,)) if each not in ("", None)]
        for name, value in known.items()
    }
