"""The command ``openmodality``.

A command's module is imported when the command is called, and not before: ``openmodality echo`` must start in about a
tenth
of a second. :data:`COMMANDS` names each command, where it is and what it is for.

Exit status: 0 done, 1 the operation failed, 2 wrong usage or configuration. Errors are one line on stderr: what
failed, with
which peer, what to do. A traceback comes only with ``--debug``.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Annotated, Any, Final, NamedTuple

import typer

from openmodality.errors import ConfigurationError, OpenModalityError, UsageError

DONE: Final = 0
FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130


class CommandEntry(NamedTuple):
    """Where a command is and what it is for."""

    module: str
    summary: str
    is_group: bool = False


COMMANDS: Final = {
    "echo": CommandEntry("openmodality.cli.echo", "Ask a peer whether it is there (C-ECHO)."),
    "send": CommandEntry("openmodality.cli.send", "Send files or folders straight to a peer (C-STORE)."),
    "receive": CommandEntry("openmodality.cli.receive", "Receive instances straight into a folder (Storage SCP)."),
}


def application(called: str | None) -> typer.Typer:
    """The whole command line; only the module of the command that is called is imported."""
    root = typer.Typer(
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        help="The DICOM side of an imaging device: worklist, exam, storage, commitment, query, film, media.",
        epilog="Every command takes --debug, which shows the log and, for a fault, the traceback.",
    )
    root.callback()(_root)
    for name, entry in COMMANDS.items():
        if name != called:
            root.command(name, short_help=entry.summary)(_not_called)
        elif entry.is_group:
            root.add_typer(_module(entry).app, name=name, short_help=entry.summary)
        else:
            root.command(name, short_help=entry.summary)(_module(entry).run)
    return root


def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of  # noqa: PLC0415 - start-up time

        print(f"openmodality {version_of('openmodality')}")
        raise typer.Exit


def _not_called() -> None:
    """Stands in for a command whose help line alone is needed."""


def _module(entry: CommandEntry) -> Any:
    return importlib.import_module(entry.module)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    given = [argument for argument in given if argument != "--debug"]
    if debug:
        _show_log()
    try:
        called = next((argument for argument in given if not argument.startswith("-")), None)
        command = typer.main.get_command(application(called))
        status = command.main(given, prog_name="openmodality", standalone_mode=False)
    except Exception as error:
        if debug:
            raise
        status = _report(error)
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(status if isinstance(status, int) else DONE)


def _report(error: Exception) -> int:
    """One line on stderr for what went wrong, and the exit status that belongs to it."""
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: end quietly
        return FAILED
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    if hasattr(error, "format_message"):  # typer's usage errors, whatever their module is called in this version
        return _report_usage(error)
    if isinstance(error, (ConfigurationError, UsageError)):
        return _say(error_line(error), WRONG_USAGE)
    if isinstance(error, OpenModalityError):
        return _say(error_line(error), FAILED)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or type(error).__name__}", FAILED)
    return _say(f"a fault in openmodality ({type(error).__name__}); run again with --debug and report it", FAILED)


def _report_usage(error: Any) -> int:
    context: Any = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        print(context.get_help(), file=sys.stderr)
        return WRONG_USAGE
    hint = f"; see '{context.command_path} --help'" if context is not None else ""
    return _say(f"{error.format_message().rstrip('.')}{hint}", WRONG_USAGE)


def error_line(error: OpenModalityError) -> str:
    """What failed and what to do, in one line."""
    return f"{error}; {error.advice}" if error.advice else str(error)


def _say(text: str, status: int) -> int:
    print(f"openmodality: {text}", file=sys.stderr)
    return status


def _show_log() -> None:
    import logging  # noqa: PLC0415 - only --debug needs it

    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
