"""Serves the console beside a command that runs on, where it is installed and switched on, and tells its address."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.log import EventFormatter
from openmodality.cli.terminal.output import say
from openmodality.errors import ConfigurationError, TransportError

if TYPE_CHECKING:
    from openmodality.app.modality import Modality
    from openmodality.console.server import ConsoleServer
    from openmodality.device.site.site import Site
    from openmodality.hospital.hospital import Hospital

_NEEDED: Final = ("argon2", "fastapi", "jinja2", "uvicorn")


def list_missing() -> list[str]:
    """The packages that the console needs and that are not installed."""
    return [name for name in _NEEDED if find_spec(name) is None]


def check_installed() -> None:
    """Raises :class:`ConfigurationError` where the console is not installed."""
    if missing := list_missing():
        raise ConfigurationError(
            f"the console is not installed: {', '.join(missing)} is missing",
            advice="pip install 'openmodality[console]'",
        )


def load_console(site: Site) -> None:
    """Load the console's code, where the console is installed and switched on.

    The import keeps the whole process busy for a second, in which peers would wait for a device that listens already.
    """
    if site.settings.console.enabled and not list_missing():
        import openmodality.console.server  # noqa: F401, PLC0415 - part of an extra


def serve_console(modality: Modality, hospital: Hospital | None = None) -> AbstractContextManager[ConsoleServer | None]:
    """The console of a device until the block ends; ``None`` where there is none, and why is said."""
    if not modality.site.settings.console.enabled:
        return nullcontext()
    if missing := list_missing():
        say(f"no console: {', '.join(missing)} is missing; pip install 'openmodality[console]'")
        return nullcontext()
    from openmodality.console.kept_log import KeptLog  # noqa: PLC0415 - part of an extra
    from openmodality.console.server import ConsoleServer  # noqa: PLC0415 - part of an extra

    kept = KeptLog(EventFormatter())
    logging.getLogger("openmodality").addHandler(kept)
    try:
        return ConsoleServer(modality, kept, hospital)
    except TransportError as error:  # what the device is for does not wait for a port of its console
        say(f"no console: {error}")
        return nullcontext()


def say_console(console: ConsoleServer) -> None:
    """Say where the console is, and where its first user is made: to the person who has started it, and to no log."""
    say(f"console: {console.url}")
    if setup := console.make_setup_url():
        say(f"it has no users yet: add the first within an hour at {setup}")
