"""Completion for bash: a script that knows all commands and options, so that a key press starts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openmodality.cli.shell.table import PathKind, ShellCommand, ShellOption

_SCRIPT: Final = """\
# Completion of openmodality for bash, made by "openmodality completion bash".
_openmodality() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD - 1]}}" command="" i
    if [[ $previous == "=" ]]; then previous="${{COMP_WORDS[COMP_CWORD - 2]}}"; fi
    if [[ $current == "=" ]]; then current="" previous="${{COMP_WORDS[COMP_CWORD - 1]}}"; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command/${{COMP_WORDS[i]}}" in
            {paths}) command="${{command:+$command }}${{COMP_WORDS[i]}}" ;;
        esac
    done
    compopt +o nospace 2>/dev/null
    case "$command $previous" in
{values}
    esac
    if [[ $current == -* ]]; then
        case "$command" in
{options}
        esac
        return
    fi
    case "$command" in
{words}
    esac
}}
complete -F _openmodality openmodality
"""
_PATHS: Final = {
    PathKind.FILE: 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current")',
    PathKind.FOLDER: 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current")',
    PathKind.NONE: "COMPREPLY=()",
}


def make_bash_script(table: Sequence[ShellCommand]) -> str:
    """The script."""
    return _SCRIPT.format(
        paths=" | ".join(f'"{each.step}"' for each in table if each.words),
        values="\n".join(line for each in table for line in _make_values(each)),
        options="\n".join(f'            "{each.words}") {_offer(_list_options(each))} ;;' for each in table),
        words="\n".join(f'        "{each.words}") {_complete_word(each)} ;;' for each in table),
    )


def _list_options(command: ShellCommand) -> list[str]:
    return [name for option in command.options for name in option.names]


def _make_values(command: ShellCommand) -> Iterator[str]:
    for option in command.options:
        if option.takes_value:
            names = " | ".join(f'"{command.words} {name}"' for name in option.names)
            yield f"        {names}) {_complete_value(option)}; return ;;"


def _complete_word(command: ShellCommand) -> str:
    if command.below:
        return _offer([name for name, _ in command.below])
    return _complete_value(command.arguments[-1]) if command.arguments else "COMPREPLY=()"


def _complete_value(value: ShellOption) -> str:
    return _offer(value.choices) if value.choices else _PATHS[value.path]


def _offer(words: Sequence[str]) -> str:
    """Offer words; those with a blank are compared without the backslash that is typed before it, and get one."""
    listed = " ".join(word.replace(" ", "\\\\ ") for word in words)
    offer = f'mapfile -t COMPREPLY < <(compgen -W "{listed}" -- "$current")'
    return offer + r'; COMPREPLY=("${COMPREPLY[@]// /\\ }")' if any(" " in word for word in words) else offer
