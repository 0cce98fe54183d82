"""The site file on the command line: where it is, and the device or the peer that it describes.

Only commands that need a site file import this module's dependencies; ``echo AETITLE@host:port`` does not, and
a list does not need the device.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.lazy import loading
from openmodality.cli.terminal.output import say
from openmodality.errors import ConfigurationError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from openmodality.app.modality import Modality
    from openmodality.app.view import LocalView
    from openmodality.cli.terminal.arguments import Parser
    from openmodality.device.site.site import Site

DEFAULT: Final = "site.toml"
SITE_VARIABLE: Final = "OPENMODALITY_SITE"
"""The environment variable that names the site file."""


def add_site(parser: Parser) -> None:
    """Declare the option for the site file."""
    parser.add_argument(
        "-c",
        "--config",
        dest="site_file",
        metavar="FILE",
        default=os.environ.get(SITE_VARIABLE) or DEFAULT,
        help="The site file, or its folder.  [default: $OPENMODALITY_SITE, else ./site.toml]",
    )


class NoSiteFile(ConfigurationError):
    """There is no site file where it is looked for."""

    advice = "make one with 'openmodality init DIR', or name yours with --config"


def site_path(site_file: str) -> Path:
    """The site file that is meant, in a folder ``site.toml``. Raises :class:`NoSiteFile` where there is none."""
    from pathlib import Path  # noqa: PLC0415 - start-up time

    given = Path(site_file)
    path = given / DEFAULT if given.is_dir() else given
    if not path.exists():
        raise NoSiteFile(f"there is no site file {path}")
    return path


def load(site_file: str) -> Site:
    """The device as it is configured. Raises :class:`ConfigurationError` where the site file is wrong."""
    path = site_path(site_file)
    with loading():
        from openmodality.device.site.site_loader import load_site  # noqa: PLC0415 - start-up time

    return load_site(path)


def open_view(site_file: str) -> AbstractContextManager[LocalView]:
    """What the device has made and received, to look at, without the device (ADR 32)."""
    path = site_path(site_file)
    from openmodality.app.view import look_at  # noqa: PLC0415 - start-up time

    return look_at(path)


def device(site_file: str, *, works: bool = False) -> Modality:
    """The device, to be used as a context manager.

    A command only queues what is to be done; ``openmodality serve`` does it. ``works``: this process does it, where no
    other one does.
    """
    path = site_path(site_file)
    with loading():
        from openmodality.app.modality import Modality  # noqa: PLC0415 - start-up time

    act_for_user()
    return Modality(path, works=works, tell=_say_note)


def act_for_user() -> None:
    """Act for the user of the machine who has called the command: that is who the audit trail names."""
    from getpass import getuser  # noqa: PLC0415 - start-up time

    from openmodality.audit.acting import Actor, set_actor  # noqa: PLC0415 - likewise
    from openmodality.audit.events import ActingPerson  # noqa: PLC0415 - likewise

    try:
        name = getuser()
    except (KeyError, OSError):  # a user of the machine without a name
        name = str(os.getuid())
    set_actor(Actor(ActingPerson(name)))


def _say_note(notice: str) -> None:
    say(f"NOTE: {notice}")
