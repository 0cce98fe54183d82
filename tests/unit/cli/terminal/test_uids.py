from __future__ import annotations

import pytest

from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.uids import add_uids
from openmodality.errors import UsageError


@pytest.fixture
def parser() -> Parser:
    parser = Parser("retrieve")
    add_uids(parser)
    return parser


def test_a_study_may_be_narrowed_to_a_series_and_to_an_instance(parser: Parser) -> None:
    assert parser.read(["--study", "1.2"]) == {"study": "1.2", "series": None, "instance": None}
    words = ["--study=1.2", "--series=1.2.3", "--instance", "1.2.3.4"]
    assert parser.read(words) == {"study": "1.2", "series": "1.2.3", "instance": "1.2.3.4"}


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ([], "--study is missing"),
        (["--series", "1.2.3"], "--study is missing"),
        (["--study", ""], "it is empty"),
        (["--study", "1.2", "--instance="], "it is empty"),
    ],
)
def test_a_study_must_be_named_and_no_uid_is_empty(parser: Parser, words: list[str], wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        parser.read(words)


def test_a_command_says_what_an_instance_means_to_it() -> None:
    parser = Parser("commit")
    add_uids(parser, of_instance="ask for this one.")
    assert [action.help for action in parser.declared][-1] == "SOP Instance UID: ask for this one."
