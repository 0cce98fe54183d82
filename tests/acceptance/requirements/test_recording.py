"""The record that the tests of the requirements are built on holds what was said."""

from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.standard.sop_classes import VERIFICATION
from tests.acceptance.requirements.recording import recorded


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_an_echo_is_on_record(tmp_path: Path, profile: str) -> None:
    with recorded(tmp_path, profile) as at:
        assert at.modality.echo("pacs") == 0
        at.settle()
        (conversation,) = at.tap.conversations
        assert (conversation.to, conversation.called, conversation.end) == ("pacs", "OM_PACS", "released")
        assert [abstract for abstract, _ in conversation.proposed] == [VERIFICATION]
        assert [(each.by_requestor, each.name) for each in conversation.messages] == [
            (True, "C-ECHO"),
            (False, "C-ECHO"),
        ]
        assert conversation.most_outstanding == at.tap.most_at_once(lambda each: True) == 1
        assert conversation.release_by_requestor
