"""Manual pages say what the help pages say."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Final

import pytest

from openmodality.cli.main import COMMANDS
from openmodality.cli.shell.man_pages import make_manual_pages
from openmodality.cli.shell.table import import_commands
from openmodality.cli.terminal.arguments import CliCommand
from openmodality.cli.terminal.help_page import meaning

PAGES: Final = make_manual_pages("1.2.3")


def _read(page: str) -> str:
    """The text of a page, without what is for roff."""
    lines = [line for line in page.splitlines() if not line.startswith(".")]
    text = re.sub(r"\\f[BR]", "", " ".join(lines))
    return " ".join(text.replace("\\&", "").replace("\\-", "-").replace("\\(dq", '"').replace("\\e", "\\").split())


def test_there_is_a_page_for_each_command() -> None:
    named = {"openmodality.1", *(f"openmodality-{words.replace(' ', '-')}.1" for words in import_commands())}
    assert set(PAGES) == named
    assert all(f"openmodality-{name} " in _read(PAGES["openmodality.1"]) for name in COMMANDS)


@pytest.mark.parametrize("words", import_commands())
def test_a_page_has_the_text_and_the_options_of_the_help(words: str) -> None:
    command, text = import_commands()[words], _read(PAGES[f"openmodality-{words.replace(' ', '-')}.1"])
    assert " ".join(command.text.split()) in text
    assert "130 Interrupted" in text
    if isinstance(command, CliCommand):
        for option in command.parser(words).declared:
            if option.option_strings:
                assert f"{', '.join(option.option_strings)}" in text
                assert " ".join(meaning(option).split()) in text


def test_the_head_has_name_section_and_version() -> None:
    assert PAGES["openmodality-exam-start.1"].startswith(
        '.TH "OPENMODALITY\\-EXAM\\-START" 1 "" "openmodality 1.2.3" "OpenModality"\n'
    )


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff reads manual pages")
def test_groff_has_nothing_to_complain_about() -> None:
    page = "\n".join(PAGES.values())
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
