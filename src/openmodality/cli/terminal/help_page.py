"""The help pages of commands and groups."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from textwrap import TextWrapper
from typing import Final

from openmodality.cli.terminal.output import terminal_width

_WIDEST: Final = 78
_NARROWEST: Final = 50
_WIDEST_LEFT: Final = 30
_GAP: Final = "  "
_HELP: Final = ("--help", "Show this message and exit.")

HelpRow = tuple[str, str]


def make_command_page(
    name: str, text: str, declared: Sequence[argparse.Action], commands: Mapping[str, str] | None = None
) -> str:
    """The page of a command that takes what is declared, with a line for each command below it."""
    words = "".join(f" {format_word(each)}" for each in declared if not each.option_strings)
    options = [make_option_row(each) for each in declared if each.option_strings]
    usage = f"Usage: {name} [OPTIONS]{words}"
    below = [_format_section("Commands", commands.items())] if commands else []
    return "\n\n".join([usage, *_paragraphs(text), _format_section("Options", [*options, _HELP]), *below])


def make_group_page(name: str, text: str, options: Mapping[str, str], commands: Mapping[str, str], epilog: str) -> str:
    """The page of a group, with a line for each of its commands."""
    usage = f"Usage: {name} [OPTIONS] COMMAND [ARGS]..."
    sections = [_format_section("Options", [*options.items(), _HELP]), _format_section("Commands", commands.items())]
    return "\n\n".join([usage, *_paragraphs(text), *sections, *_paragraphs(epilog)])


def make_section(heading: str, rows: Iterable[HelpRow]) -> str:
    """A section of its own, for what is known only when the page is shown."""
    return _format_section(heading, rows)


def make_option_row(option: argparse.Action) -> HelpRow:
    """The names of an option with its value, and what it means."""
    value = "" if option.nargs == 0 else f" {_value(option)}"
    return f"{', '.join(option.option_strings)}{value}", meaning(option)


def meaning(option: argparse.Action) -> str:
    """What an option means, its default and what it may be."""
    text = option.help or ""
    facts = []
    if option.default and "[default: " not in text:
        facts.append(f"default: {option.default}")
    if limits := getattr(option.type, "limits", ""):
        facts.append(limits)
    if option.required:
        facts.append("required")
    return f"{text}{_GAP}[{'; '.join(facts)}]" if facts else text


def _value(option: argparse.Action) -> str:
    if option.choices is not None:
        return f"[{'|'.join(map(str, option.choices))}]"
    name = str(option.metavar)
    return f"[{name}]" if option.nargs == argparse.OPTIONAL else name


def format_word(word: argparse.Action) -> str:
    """A word of a command in its usage: how often it may stand there."""
    forms = {argparse.OPTIONAL: "[{}]", argparse.ZERO_OR_MORE: "[{}]...", argparse.ONE_OR_MORE: "{}..."}
    return forms.get(str(word.nargs), "{}").format(word.metavar)


def _width() -> int:
    return max(min(terminal_width() - 2, _WIDEST), _NARROWEST)


def _paragraphs(text: str) -> list[str]:
    return [_wrap(paragraph, _GAP, _GAP) for paragraph in text.split("\n\n") if paragraph.strip()]


def _format_section(heading: str, rows: Iterable[HelpRow]) -> str:
    listed = list(rows)
    left = min(max(len(name) for name, _ in listed), _WIDEST_LEFT) + 2 * len(_GAP)
    lines = [f"{heading}:"]
    for name, text in listed:
        start = f"{_GAP}{name}"
        if len(start) + len(_GAP) > left:
            lines += _break_name(name)
            start = ""
        lines.append(_wrap(text, start.ljust(left), " " * left))
    return "\n".join(lines)


def _break_name(name: str) -> list[str]:
    """The names of an option on lines that fit: what may be chosen is broken behind its bars."""
    wrapper = TextWrapper(_width(), initial_indent=_GAP, subsequent_indent=_GAP * 3, break_on_hyphens=False)
    return [line.replace("| ", "|") for line in wrapper.wrap(name.replace("|", "| "))]


def _wrap(text: str, first: str, further: str) -> str:
    """Lines that fit; the gap before what is in brackets stays."""
    text = f"{_GAP}[".join(" ".join(part.split()) for part in text.split(f"{_GAP}["))
    return TextWrapper(
        _width(), initial_indent=first, subsequent_indent=further, break_on_hyphens=False, break_long_words=False
    ).fill(text)
