from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.cli.commands.importing import refusal


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ("a.dcm is not a readable PS3.10 file", "in/a.dcm is not a readable PS3.10 file"),
        ("in/a.dcm: cannot be opened", "in/a.dcm: cannot be opened"),
        ("no SOP Instance UID", "in/a.dcm: no SOP Instance UID"),
    ],
)
def test_a_refused_file_is_named_once(why: str, said: str) -> None:
    assert refusal(Path("in/a.dcm"), why) == said
