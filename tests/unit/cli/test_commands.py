"""What each command declares is what its function takes; mypy does not see that."""

from __future__ import annotations

import inspect
from typing import Final

import pytest

from openmodality.activities.film_order import FilmOrder
from openmodality.cli.commands.film import _make_order
from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.site import add_site
from openmodality.exam.ingest import IngestOptions
from tests.command_tree import ALL_COMMANDS, LEAVES

MADE_INTO_ONE: Final = {
    *("tls_ca", "tls_cert", "tls_key", "tls_passphrase_file", "tls_crl", "tls_legacy"),
    *IngestOptions.__match_args__,
    *("files", "watched", "mrd"),
    *("scan_seed", "scan_noise", "scan_orientation"),
}
"""Options of which several make one parameter."""
ONE_OF_SEVERAL: Final = {"options", "listening", "scanning"}
NO_OPTION: Final = {"annotation", "frames", "states"}
"""Fields of a film's order that the command line names otherwise, or not."""


def list_parameters(name: str) -> dict[str, inspect.Parameter]:
    """What the function of a command takes; ``**film`` stands for what makes an order of a film."""
    parameters = dict(inspect.signature(LEAVES[name].run).parameters)
    if parameters.get("film") and parameters["film"].kind is inspect.Parameter.VAR_KEYWORD:
        del parameters["film"]
        parameters |= inspect.signature(FilmOrder).parameters
        parameters |= inspect.signature(_make_order).parameters
        for each in (*NO_OPTION, "choices"):
            del parameters[each]
    return parameters


@pytest.mark.parametrize("name", LEAVES)
def test_a_function_takes_what_its_command_declares(name: str) -> None:
    declared = {each.dest for each in LEAVES[name].parser(name).declared} - MADE_INTO_ONE
    assert declared == set(list_parameters(name)) - ONE_OF_SEVERAL


@pytest.mark.parametrize("name", LEAVES)
def test_what_may_be_repeated_says_so_and_is_a_tuple(name: str) -> None:
    parameters = list_parameters(name)
    for each in LEAVES[name].parser(name).declared:
        if each.option_strings and each.dest not in MADE_INTO_ONE:
            is_repeated = "May be repeated." in (each.help or "")
            assert (each.default == []) == is_repeated
            assert parameters[each.dest].annotation.startswith(("tuple", "Sequence")) == is_repeated


@pytest.mark.parametrize(
    ("variable", "words", "meant"),
    [
        (None, [], "site.toml"),
        ("", [], "site.toml"),
        ("elsewhere", [], "elsewhere"),
        ("elsewhere", ["-c", "here"], "here"),
        ("elsewhere", ["--config=here"], "here"),
        ("elsewhere", ["-c", ""], ""),
    ],
)
def test_the_site_file(variable: str | None, words: list[str], meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENMODALITY_SITE", raising=False)
    if variable is not None:
        monkeypatch.setenv("OPENMODALITY_SITE", variable)
    parser = Parser("om")
    add_site(parser)
    assert parser.read(words) == {"site_file": meant}


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_a_help_page_fits_eighty_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    page = ALL_COMMANDS[name].page(f"openmodality {name}")
    assert [line for line in page.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize("name", ["media list", "media retrieve"])
def test_a_key_of_a_medium_only_matches(name: str) -> None:
    """What is shown of a record is fixed, so help does not promise return keys."""
    page = ALL_COMMANDS[name].page(f"openmodality {name}")
    assert "A matching key" in page
    assert "return key" not in " ".join(page.split())
