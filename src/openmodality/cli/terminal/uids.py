"""The options that name a study, series or instance on the command line."""

from __future__ import annotations

from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.values import not_empty


def add_uids(parser: Parser, *, of_instance: str = "only this instance.") -> None:
    """Declare the options that name a study, or a series or an instance of it."""
    parser.add_argument("--study", metavar="UID", required=True, type=not_empty, help="Study Instance UID.")
    parser.add_argument("--series", metavar="UID", type=not_empty, help="Series Instance UID: only this series.")
    parser.add_argument("--instance", metavar="UID", type=not_empty, help=f"SOP Instance UID: {of_instance}")
