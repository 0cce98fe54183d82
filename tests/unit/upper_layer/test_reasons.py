"""The tables of results, sources and reasons against a second source, pynetdicom's."""

from __future__ import annotations

import itertools
import re

import pytest
from pynetdicom import pdu as reference

from openmodality.standard import upper_layer as facts
from openmodality.upper_layer.reasons import abort_text, context_result_text, reject_text


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower().replace("recognised", "recognized"))) - {
        "given",
        "reason",
        "not",
        "title",
        "no",
        "specified",
    }


@pytest.mark.parametrize(("source", "reason"), list(itertools.product(range(1, 4), range(1, 11))))
def test_rejections(source: int, reason: int) -> None:
    theirs = reference.A_ASSOCIATE_RJ()
    theirs.result, theirs.source, theirs.reason_diagnostic = 1, source, reason
    try:
        expected = theirs.reason_str
    except ValueError:
        assert (source, reason) not in facts.REJECT_REASONS
        return
    ours = facts.REJECT_REASONS.get((source, reason), "reserved")
    assert words(ours) <= words(expected) | {"name", "ae"}
    assert ("reserved" in expected.lower()) == ("reserved" in ours)


@pytest.mark.parametrize("reason", range(7))
def test_reasons_of_aborts_are_those_of_pynetdicom(reason: int) -> None:
    theirs = reference.A_ABORT_RQ()
    theirs.source, theirs.reason_diagnostic = 2, reason
    ours = facts.ABORT_REASONS.get(reason, "reserved")
    assert ("reserved" in theirs.reason_str.lower()) == ("reserved" in ours)
    assert words(ours) <= words(theirs.reason_str) | {"pdu"}


def test_every_number_has_words() -> None:
    """Trap 14."""
    for number in range(256):
        assert all((reject_text(number, number, number), abort_text(number, number), context_result_text(number)))
    assert context_result_text(5) == "reserved (5)"
