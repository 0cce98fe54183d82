"""Completion for fish: a line for each command and option, with what it means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openmodality.cli.shell.table import PathKind, ShellCommand, ShellOption

_HEAD: Final = """\
# Completion of openmodality for fish, made by "openmodality completion fish".
function __openmodality_at --description 'Whether these are the words of the command so far'
    set -l command ""
    for word in (commandline -opc)[2..-1]
        if contains -- "$command/$word" {paths}
            set command (string trim "$command $word")
        end
    end
    test "$command" = "$argv[1]"
end
complete -c openmodality -f
"""
_FOLDERS: Final = "(__fish_complete_directories)"


def make_fish_script(table: Sequence[ShellCommand]) -> str:
    """The script."""
    paths = " ".join(_quote(each.step) for each in table if each.words)
    lines = [line for command in table for line in _make_lines(command)]
    return _HEAD.format(paths=paths) + "\n".join(lines) + "\n"


def _make_lines(command: ShellCommand) -> Iterator[str]:
    start = f"complete -c openmodality -n {_quote(f'__openmodality_at {_quote_inside(command.words)}')}"
    for name, summary in command.below:
        yield f"{start} -a {name} -d {_quote(summary)}"
    for option in command.options:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)
        yield f"{start} {names}{_complete_value(option)} -d {_quote(option.summary)}"
    for word in command.arguments[-1:]:
        value = _complete_value(word).removeprefix(" -r").removeprefix(" -x")
        if value:
            yield f"{start}{value}"


def _complete_value(value: ShellOption) -> str:
    if not value.takes_value:
        return ""
    if value.choices:
        listed = " ".join(each.replace(" ", "\\ ") for each in value.choices)
        return f" -x -a {_quote(listed)}"
    return {PathKind.FILE: " -r -F", PathKind.FOLDER: f" -x -a {_quote(_FOLDERS)}", PathKind.NONE: " -x"}[value.path]


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quote_inside(text: str) -> str:
    return f'"{text}"'
