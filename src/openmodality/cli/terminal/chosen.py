"""The options that choose series and instances of the local database, each of which may be repeated."""

from __future__ import annotations

from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.values import not_empty


def add_chosen(parser: Parser, what: str) -> None:
    """Declare ``--series`` and ``--instance``; ``what`` says in the help what is chosen."""
    for name, level, dest in (("series", "Series", "series"), ("instance", "SOP", "instances")):
        parser.add_argument(
            f"--{name}",
            dest=dest,
            metavar="UID",
            action="append",
            type=not_empty,
            default=[],
            help=f"{level} Instance UID of {what}. May be repeated.",
        )
