"""Completion for zsh: a script that knows all commands and options with what they mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote
from typing import Final

from openmodality.cli.shell.table import PathKind, ShellCommand, ShellOption

_SCRIPT: Final = """\
#compdef openmodality
# Completion of openmodality for zsh, made by "openmodality completion zsh".
_openmodality() {{
    local command="" previous="${{words[CURRENT - 1]}}" i
    local -a offered
    for ((i = 2; i < CURRENT; i++)); do
        case "$command/${{words[i]}}" in
            ({paths}) command="${{command:+$command }}${{words[i]}}" ;;
        esac
    done
    case "$command $previous" in
{values}
    esac
    if [[ ${{words[CURRENT]}} == -* ]]; then
        case "$command" in
{options}
        esac
        _describe -o option offered
        return
    fi
    case "$command" in
{words}
    esac
}}
if [[ $funcstack[1] == _openmodality ]]; then _openmodality "$@"; else compdef _openmodality openmodality; fi
"""
_PATHS: Final = {PathKind.FILE: "_files", PathKind.FOLDER: "_files -/", PathKind.NONE: "_message value"}


def make_zsh_script(table: Sequence[ShellCommand]) -> str:
    """The script."""
    return _SCRIPT.format(
        paths="|".join(f'"{each.step}"' for each in table if each.words),
        values="\n".join(line for each in table for line in _make_values(each)),
        options="\n".join(f'            ("{each.words}") offered=({_list_options(each)}) ;;' for each in table),
        words="\n".join(f'        ("{each.words}") {_complete_word(each)} ;;' for each in table),
    )


def _list_options(command: ShellCommand) -> str:
    return " ".join(_format_entry(name, option.summary) for option in command.options for name in option.names)


def _format_entry(name: str, summary: str) -> str:
    """One entry of ``_describe``: a colon parts the two, so those of the text are escaped."""
    text = summary.replace("\\", "\\\\").replace(":", "\\:").replace("'", "'\\''")
    return f"'{name}:{text}'"


def _make_values(command: ShellCommand) -> Iterator[str]:
    for option in command.options:
        if option.takes_value:
            names = "|".join(f'"{command.words} {name}"' for name in option.names)
            yield f"        ({names}) {_complete_value(option)}; return ;;"


def _complete_word(command: ShellCommand) -> str:
    if command.below:
        listed = " ".join(_format_entry(name, summary) for name, summary in command.below)
        return f"offered=({listed}); _describe command offered"
    return _complete_value(command.arguments[-1]) if command.arguments else "_message 'no more arguments'"


def _complete_value(value: ShellOption) -> str:
    return f"compadd -- {' '.join(map(quote, value.choices))}" if value.choices else _PATHS[value.path]
