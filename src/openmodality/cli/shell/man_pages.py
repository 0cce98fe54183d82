"""Manual pages, made of the help texts: ``openmodality.1`` and one for each command, such as
``openmodality-exam-acquire.1``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from openmodality.cli.main import COMMANDS, PURPOSE
from openmodality.cli.shell.table import EVERYWHERE, import_commands
from openmodality.cli.terminal.arguments import CliCommand, Group
from openmodality.cli.terminal.help_page import format_word, make_option_row

_PROGRAM: Final = "openmodality"
_EXIT_STATUS: Final = (
    ("0", "Done."),
    ("1", "The operation failed: the peer refused, is away or answered with a failure, or something is not there."),
    ("2", "Wrong usage or configuration."),
    ("130", "Interrupted by Ctrl-C."),
)
_FILES: Final = (
    (
        "site.toml",
        "The site file: the device, its peers and its settings. Option --config or $OPENMODALITY_SITE names it.",
    ),
)
Rows = Iterable[tuple[str, str]]


def make_manual_pages(version: str) -> dict[str, str]:
    """The pages by the names of their files."""
    commands = import_commands()
    pages = {f"{_PROGRAM}.1": _make_program_page(commands, version)}
    for words, command in commands.items():
        pages[f"{_name_page(words)}.1"] = _make_page(words, command, version)
    return pages


def _name_page(words: str) -> str:
    return "-".join([_PROGRAM, *words.split()])


def _make_program_page(commands: Mapping[str, CliCommand | Group], version: str) -> str:
    listed = [(_name_page(words), commands[words].summary) for words in COMMANDS]
    version_row = ("--version", "Show the version and exit.")
    return _join(
        _begin(_PROGRAM, PURPOSE, "COMMAND [ARGS]...", version),
        _format_section("Commands", listed),
        _format_section("Options", [version_row, *_everywhere()]),
        _format_section("Exit status", _EXIT_STATUS),
        _format_section("Files", _FILES),
    )


def _make_page(words: str, command: CliCommand | Group, version: str) -> str:
    name = _name_page(words)
    below = [(_name_page(f"{words} {each}"), member.summary) for each, member in command.commands.items()]
    middle = [_format_section("Commands", below)] if below else []
    if isinstance(command, Group):
        usage, rows = "COMMAND [ARGS]...", [*_everywhere()]
    else:
        declared = command.parser(words).declared
        usage = " ".join(["[OPTIONS]", *(format_word(each) for each in declared if not each.option_strings)])
        rows = [*_list_options(declared), *_everywhere()]
    above = _name_page(words.rpartition(" ")[0])
    return _join(
        _begin(name, command.summary, usage, version, f"{_PROGRAM} {words}"),
        _format_description(command.text),
        *middle,
        _format_section("Options", rows),
        _format_section("Exit status", _EXIT_STATUS),
        f'.SH "SEE ALSO"\n.BR {_escape(above)} (1)',
    )


def _begin(name: str, summary: str, usage: str, version: str, call: str = _PROGRAM) -> str:
    return "\n".join([
        f'.TH "{_escape(name.upper())}" 1 "" "openmodality {_escape(version)}" "OpenModality"',
        ".SH NAME",
        f"{_escape(name)} \\- {_escape(summary.rstrip('.'))}",
        ".SH SYNOPSIS",
        f"\\fB{_escape(call)}\\fR {_escape(usage)}",
    ])  # fmt: skip


def _format_description(text: str) -> str:
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n") if each.strip()]
    return "\n".join([".SH DESCRIPTION", "\n.PP\n".join(map(_escape, paragraphs))])


def _format_section(heading: str, rows: Rows) -> str:
    lines = [f'.SH "{heading.upper()}"']
    for name, text in rows:
        lines += [".TP", f"\\fB{_escape(name)}\\fR", _escape(" ".join(text.split()))]
    return "\n".join(lines)


def _list_options(declared: Iterable[argparse.Action]) -> Iterator[tuple[str, str]]:
    return (make_option_row(each) for each in declared if each.option_strings)


def _everywhere() -> Iterator[tuple[str, str]]:
    return ((", ".join(each.names), f"{each.summary}.") for each in EVERYWHERE)


def _join(*parts: str) -> str:
    return "\n".join(parts) + "\n"


def _escape(text: str) -> str:
    """Text as roff has it: a dash is the character of options, and no line is a request."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
