"""The command ``openmodality``.

A command's module is imported when the command is called, and not before: ``openmodality echo`` must start in about a
tenth of a second. :data:`COMMANDS` names each command, where it is and what it is for.

Exit status: 0 done, 1 the operation failed (also for an exam, job or study that is not there or whose state does not
allow it), 2 wrong usage or configuration. Errors are one line on stderr: what failed, with which peer, what to do.
Warnings of the log are on stderr too, one line each; ``--verbose`` and ``--debug`` show more of it. A traceback comes
only with ``--debug``, and only for what nobody has foreseen.
"""

from __future__ import annotations

try:
    import logging
    import sys
    import traceback
    from collections.abc import Sequence
    from typing import Final

    import openmodality
    from openmodality.cli.terminal.arguments import DONE, WRONG_USAGE, Group
    from openmodality.cli.terminal.lazy import CommandEntry, LazyCommand
    from openmodality.cli.terminal.log import show_log, take_level
    from openmodality.cli.terminal.output import say, say_lines
    from openmodality.cli.terminal.streams import finish_output, mend_streams
    from openmodality.errors import ConfigurationError, NotFound, OpenModalityError, UsageError, WrongState
except KeyboardInterrupt:  # half of the start-up time is these; main() answers Ctrl-C from then on
    raise SystemExit(130) from None

FAILED: Final = 1
INTERRUPTED: Final = 130


COMMANDS: Final = {
    "demo": CommandEntry("openmodality.cli.demo.demo", "Watch a scheduled exam go through a virtual hospital."),
    "init": CommandEntry("openmodality.cli.commands.init", "Write a site file to start with."),
    "serve": CommandEntry("openmodality.cli.commands.serve", "Run the device: listen, and work the queue."),
    "worklist": CommandEntry("openmodality.cli.commands.worklist", "Ask a RIS what is scheduled (Modality Worklist)."),
    "exam": CommandEntry("openmodality.cli.commands.exam", "Start, acquire, complete and list exams."),
    "jobs": CommandEntry("openmodality.cli.commands.jobs", "List, show, retry and cancel jobs."),
    "studies": CommandEntry("openmodality.cli.commands.local_data", "Studies in the local database.", "studies"),
    "series": CommandEntry("openmodality.cli.commands.local_data", "Series in the local database.", "series"),
    "instances": CommandEntry("openmodality.cli.commands.local_data", "Instances in the local database.", "instances"),
    "import": CommandEntry("openmodality.cli.commands.importing", "Copy DICOM files into the local database."),
    "recover": CommandEntry("openmodality.cli.commands.recover", "Rebuild what the instance files of a device tell."),
    "key": CommandEntry("openmodality.cli.commands.key", "Note which images are of interest (key object documents)."),
    "present": CommandEntry(
        "openmodality.cli.commands.present", "Say how images are to be shown (presentation states)."
    ),
    "media": CommandEntry("openmodality.cli.commands.media", "Make, read and check CDs, DVDs and sticks (DICOMDIR)."),
    "gsdf": CommandEntry("openmodality.cli.commands.gsdf", "Judge and correct the grey scale of displays and films."),
    "print": CommandEntry("openmodality.cli.commands.film", "Print images on film.", "print_command"),
    "printer": CommandEntry("openmodality.cli.commands.film", "Ask a film printer how it is, and what it has."),
    "dose": CommandEntry("openmodality.cli.commands.dose", "Show the dose of an exam, or of a dose report."),
    "commit": CommandEntry("openmodality.cli.commands.commit", "Ask an archive to keep a study (Storage Commitment)."),
    "query": CommandEntry("openmodality.cli.commands.query", "Ask an archive what it has (C-FIND)."),
    "retrieve": CommandEntry("openmodality.cli.commands.retrieve", "Let an archive send what it has (C-MOVE)."),
    "echo": CommandEntry("openmodality.cli.commands.echo", "Ask a peer whether it is there (C-ECHO)."),
    "send": CommandEntry("openmodality.cli.commands.send", "Send files or folders straight to a peer (C-STORE)."),
    "receive": CommandEntry(
        "openmodality.cli.commands.receive", "Receive instances straight into a folder (Storage SCP)."
    ),
    "profile": CommandEntry("openmodality.cli.commands.profile", "Judge the profile of a device of your own."),
    "conformance": CommandEntry(
        "openmodality.cli.commands.conformance", "Print the conformance statement of the device."
    ),
    "console": CommandEntry("openmodality.cli.commands.console", "Say who may operate the device in a browser."),
    "audit": CommandEntry("openmodality.cli.commands.audit", "Show who did what with whose images, and check it."),
    "hospital": CommandEntry(
        "openmodality.cli.commands.hospital", "Run a virtual hospital: RIS, PACS, printer, audit."
    ),
    "completion": CommandEntry("openmodality.cli.commands.completion", "Let bash, zsh or fish complete commands."),
    "man": CommandEntry("openmodality.cli.commands.man", "Write manual pages."),
}


PURPOSE: Final = "The DICOM side of an imaging device: worklist, exam, storage, commitment, query, film, media."
_EPILOG: Final = (
    "Every command takes -v, --verbose, which shows what happens on each association, and -d, --debug, which adds every"
    " message and, for a fault of the program, the traceback."
)
_VERSION: Final = "--version"


def _show_version() -> int:
    version = openmodality.__version__
    print(f"openmodality {version}" if version else "openmodality, run from its source without being installed")
    return DONE


def run(words: Sequence[str], *, owns_process: bool = False) -> int:
    """Do what the words say; the exit status."""
    if words and words[0] == _VERSION:
        return _show_version()
    commands = {name: LazyCommand(entry, owns_process=owns_process) for name, entry in COMMANDS.items()}
    options = {_VERSION: "Show the version and exit."}
    return Group(PURPOSE, commands, options=options, epilog=_EPILOG)("openmodality", words)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    level = take_level(given)
    try:
        mend_streams()
        show_log(level)
        status = run(given, owns_process=arguments is None)
    except Exception as error:  # noqa: BLE001 - the end of the process, which says what went wrong
        if level <= logging.DEBUG and not isinstance(error, OpenModalityError):
            say_lines("".join(traceback.format_exception(error)).rstrip())
        status = _report(error)
    except KeyboardInterrupt:
        status = INTERRUPTED
    sys.exit(_finish(status))


def _finish(status: int) -> int:
    """Write out what was printed; the exit status."""
    error = finish_output()
    if error is None or status != DONE:
        return status
    return _report(error)


def _report(error: Exception) -> int:
    """One line on stderr for what went wrong, and the exit status that belongs to it."""
    if isinstance(error, BrokenPipeError):
        return FAILED  # the reader has gone: end quietly
    if isinstance(error, (NotFound, WrongState)):
        return _say(str(error), FAILED)
    if isinstance(error, ConfigurationError):
        say_lines(f"openmodality: {error}")  # a line for each mistake in a site file
        return WRONG_USAGE
    if isinstance(error, UsageError):
        return _say(str(error), WRONG_USAGE)
    if isinstance(error, OpenModalityError):
        return _say(str(error), FAILED)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror or type(error).__name__}", FAILED)
    return _say(f"a fault in openmodality ({type(error).__name__}); run again with --debug and report it", FAILED)


def _say(text: str, status: int) -> int:
    say(f"openmodality: {text}")
    return status
