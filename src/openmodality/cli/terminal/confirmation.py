"""Asks a person before something happens that cannot be taken back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.output import prompt, say
from openmodality.errors import UsageError

if TYPE_CHECKING:
    from openmodality.cli.terminal.arguments import Parser

_ANSWERS: Final = {"y": True, "yes": True, "n": False, "no": False, "": False}


def add_yes(parser: Parser) -> None:
    """Declare the option that answers in advance."""
    parser.add_argument("--yes", action="store_true", help="Do not ask.")


def ask_to_confirm(question: str, *, yes: bool) -> None:
    """Go on if a person says yes.

    Raises :class:`UsageError` where nobody can be asked, and ``KeyboardInterrupt`` at a no: it ends the command as
    Ctrl-C does.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f'nobody is there to answer "{question}"', advice="say --yes to go on without being asked")
    if not is_yes(question):
        raise KeyboardInterrupt


def is_yes(question: str) -> bool:
    """What a person answers; ``KeyboardInterrupt`` at Ctrl-C and at the end of the input. Just Enter is a no."""
    while True:
        prompt(f"{question} [y/N]: ")
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        answer = _ANSWERS.get(line.strip().lower())
        if answer is not None:
            return answer
        say("answer y or n")
