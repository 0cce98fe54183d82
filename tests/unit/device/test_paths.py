"""Paths of attributes are read from keywords and tags, and written as both."""

from __future__ import annotations

import pytest

from openmodality.device.paths import TagPath, format_keywords, format_path, parse_path

STEP_ID = (0x00400100, 0x00400009)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("PatientName", (0x00100010,)),
        ("0010,0010", (0x00100010,)),
        ("ScheduledProcedureStepSequence>ScheduledProcedureStepID", STEP_ID),
        ("0040,0100 > 0040,0009", STEP_ID),
        ("ScheduledProcedureStepSequence>0040,0009", STEP_ID),
        ("2005,10aB", (0x200510AB,)),
    ],
)
def test_a_path_is_read(text: str, path: TagPath) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PatientNames", "'PatientNames' is neither a PS3.6 keyword nor a tag gggg,eeee"),
        ("", "'' is neither"),
        ("0010,00", "'0010,00' is neither"),
        ("0010,0011", r"\(0010,0011\) is no attribute of PS3.6"),
        ("PatientName>PatientID", r"\(0010,0010\) .* is no sequence, so nothing can be inside it"),
        ("ScheduledProcedureStepSequence>", "'' is neither"),
    ],
)
def test_the_part_that_is_wrong_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_path(text)


def test_a_path_is_written_in_tags_and_in_keywords() -> None:
    assert format_path(STEP_ID) == "0040,0100>0040,0009"
    assert format_keywords(STEP_ID) == "ScheduledProcedureStepSequence>ScheduledProcedureStepID"
    assert format_keywords((0x00400100, 0x200510AB)) == "ScheduledProcedureStepSequence>2005,10AB"
    assert parse_path(format_path(STEP_ID)) == parse_path(format_keywords(STEP_ID)) == STEP_ID
