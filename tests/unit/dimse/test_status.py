"""Statuses are sorted as PS3.7 Annex C does, and told with the meaning that it gives them."""

from __future__ import annotations

import pytest

from openmodality.dimse.status import StatusCategory, categorize, describe, is_pending


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x0000, StatusCategory.SUCCESS),
        (0xFF00, StatusCategory.PENDING),
        (0xFF01, StatusCategory.PENDING),
        (0xFE00, StatusCategory.CANCEL),
        (0x0001, StatusCategory.WARNING),
        (0x0107, StatusCategory.WARNING),
        (0x0116, StatusCategory.WARNING),
        (0xB000, StatusCategory.WARNING),
        (0xBFFF, StatusCategory.WARNING),
        (0x0110, StatusCategory.FAILURE),
        (0xA700, StatusCategory.FAILURE),
        (0xC000, StatusCategory.FAILURE),
        (0xFF02, StatusCategory.FAILURE),
        (0x0FFF, StatusCategory.FAILURE),
    ],
)
def test_codes_are_sorted(status: int, expected: StatusCategory) -> None:
    assert categorize(status) is expected
    assert is_pending(status) == (expected is StatusCategory.PENDING)


def test_a_response_without_a_status_is_not_pending() -> None:
    assert not is_pending(None)


def test_categories_have_the_names_of_the_tables() -> None:
    assert StatusCategory.from_name("warning") is StatusCategory.WARNING


@pytest.mark.parametrize(
    ("status", "comment", "text"),
    [
        (0xA700, None, "A700 Failure"),
        (0xB000, "coerced", "B000 Warning (coerced)"),
        (0x0110, "", "0110 Processing failure"),
    ],
)
def test_a_status_is_told_with_its_meaning_and_the_peer_s_comment(status: int, comment: str | None, text: str) -> None:
    assert describe(status, comment) == text
