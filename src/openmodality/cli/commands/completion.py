"""``openmodality completion``: scripts that let a shell complete commands and options."""

from __future__ import annotations

from typing import Final

from openmodality.cli.shell.bash import make_bash_script
from openmodality.cli.shell.fish import make_fish_script
from openmodality.cli.shell.table import make_table
from openmodality.cli.shell.zsh import make_zsh_script
from openmodality.cli.terminal.arguments import CliCommand, Parser

SHELLS: Final = {"bash": make_bash_script, "zsh": make_zsh_script, "fish": make_fish_script}


def _declare(parser: Parser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=list(SHELLS))


def run(shell: str) -> None:
    """Print a script that lets SHELL (bash, zsh or fish) complete commands, options and their values.

    Put it where the shell looks, for bash ~/.local/share/bash-completion/completions/openmodality, for zsh a file
    _openmodality in a folder of $fpath, for fish ~/.config/fish/completions/openmodality.fish; or read it at once:
    source <(openmodality completion bash).
    """
    print(SHELLS[shell](make_table()), end="")


command = CliCommand(run, _declare)
