"""Applies at once the few settings that can be changed while the console runs; all others need a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from openmodality.console.security.accounts import SessionLimits
from openmodality.device.site.site import Site
from openmodality.device.site.site_file import ConsoleSettings
from openmodality.device.toml_file import parse_toml
from openmodality.errors import ConfigurationError

AT_ONCE: Final = frozenset((
    "console.emergency_start",
    "console.identity_check",
    "console.idle_minutes",
    "console.session_hours",
))  # fmt: skip
"""What the console asks for anew each time."""


class LiveSettings:
    """The settings of the console as they are now, and what the site file said when the device started."""

    def __init__(self, site: Site, text: str) -> None:
        self.console: ConsoleSettings = site.settings.console
        self._started = text

    def take(self, site: Site) -> None:
        """Take what is in force at once from a site file that was changed."""
        names = [key.partition(".")[2] for key in AT_ONCE]
        self.console = self.console.model_copy(update={name: getattr(site.settings.console, name) for name in names})

    def find_limits(self) -> SessionLimits:
        """When sessions end."""
        return SessionLimits.of(self.console)

    def list_waiting(self, text: str) -> list[str]:
        """The keys that a text of the site file sets otherwise than the device knows them, until a restart."""
        return [key for key in list_differences(self._started, text) if key not in AT_ONCE]


def list_differences(before: str, after: str) -> list[str]:
    """The keys that two texts of a site file set otherwise; a text that is no TOML sets nothing."""
    old, new = (dict(_list_values(_read(text))) for text in (before, after))
    return [key for key in {**old, **new} if old.get(key) != new.get(key)]


def _read(text: str) -> dict[str, Any]:
    try:
        return parse_toml(text, "the site file")
    except ConfigurationError:
        return {}


def _list_values(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _list_values(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
