"""The check of the documents finds dead links and words that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import check_docs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    (tmp_path / "Makefile").write_text("test: x  ## tests\n")
    (tmp_path / "docs" / "other.md").write_text("# A heading, here\n")
    return tmp_path


def _problems(root: Path, text: str) -> list[str]:
    (root / "README.md").write_text(text)
    return list(check_docs.problems(root))


@pytest.mark.parametrize(
    "text",
    [
        "[other](docs/other.md#a-heading-here) [web](https://example.org) `make test`",
        "```\n[nothing](nowhere.md)\nmake test\n```",
        "you make sense of it",
    ],
)
def test_sound_documents_pass(root: Path, text: str) -> None:
    assert _problems(root, text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[other](docs/missing.md)", "docs/missing.md leads nowhere"),
        ("[other](docs/other.md#missing)", "no heading for #missing"),
        ("```\nmake everything\n```", "no make target everything"),
    ],
)
def test_what_does_not_exist_is_found(root: Path, text: str, said: str) -> None:
    [problem] = _problems(root, text)
    assert said in problem


def test_a_command_that_does_not_exist_is_found(root: Path) -> None:
    document = root / "README.md"
    document.write_text("```\n$ openmodality echo PACS\n.venv/bin/openmodality sing\n```\n`openmodality demo`\n")
    found = list(check_docs.unknown_words(document, check_docs._COMMAND, {"echo", "demo"}.__contains__, "command"))
    assert found == [f"{document}: there is no command sing"]


def test_the_project_documents_are_sound() -> None:
    assert list(check_docs.problems(check_docs.ROOT)) == []
