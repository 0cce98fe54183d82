"""``openmodality exam``: from a worklist item to images, step by step."""

from __future__ import annotations

from typing import Final

from openmodality.cli.terminal.arguments import Group
from openmodality.cli.terminal.lazy import CommandEntry, LazyCommand

ENTRIES: Final = {
    "acquire": CommandEntry(
        "openmodality.cli.commands.exam_acquire",
        "Make images in an exam, from a simulator, from files, or from a watched folder.",
    ),
    "check": CommandEntry(
        "openmodality.cli.commands.exam_check",
        "Look over the images of an exam: geometry, pixels, mandatory attributes, and what is odd.",
    ),
    "complete": CommandEntry(
        "openmodality.cli.commands.exam_end",
        "End an exam as COMPLETED: the RIS is told what was made, and what is not sent yet goes to the archives.",
        "complete_command",
    ),
    "discontinue": CommandEntry(
        "openmodality.cli.commands.exam_end", "End an exam as DISCONTINUED.", "discontinue_command"
    ),
    "list": CommandEntry("openmodality.cli.commands.exam_look", "Exams, newest first.", "list_command"),
    "show": CommandEntry(
        "openmodality.cli.commands.exam_look",
        "One exam: its steps and what the RIS has been told, its series and what has been sent and committed.",
        "show_command",
    ),
    "start": CommandEntry(
        "openmodality.cli.commands.exam_start",
        "Start an exam for one or several worklist items: a performed step is IN PROGRESS from now on.",
        "start_command",
    ),
    "unscheduled": CommandEntry(
        "openmodality.cli.commands.exam_start",
        "Start an exam that nobody scheduled; study UID and accession number are made here.",
        "unscheduled_command",
    ),
}
command = Group(
    """Exams: start one for a worklist item, acquire images, end it.

    Everything is kept at once and told to RIS and archive by "openmodality serve". EXAM is a number of "exam list",
    an accession number, or the beginning of a Study Instance UID.
    """,
    {name: LazyCommand(entry) for name, entry in ENTRIES.items()},
)
