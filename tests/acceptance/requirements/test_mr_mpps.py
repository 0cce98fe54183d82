"""MR 2.4 and Annex C: the performed procedure step on the wire, attribute by attribute."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.device.paths import parse_path
from openmodality.store.states import JobState
from tests.acceptance.requirements.recording import recorded
from tests.acceptance.requirements.story import Story
from tests.acceptance.requirements.tables import NOT_ALLOWED, Row, broken_types, paths_of, typed
from tests.devices import add_image

TABLE = Path(__file__).parents[2] / "data" / "spec" / "mr" / "mpps_attributes.csv"
CHARACTER_SET = Row(parse_path("SpecificCharacterSet"), "3")
REASON = [
    Row(parse_path(f"PerformedProcedureStepDiscontinuationReasonCodeSequence{below}"), "3")
    for below in ("", ">CodeValue", ">CodingSchemeDesignator", ">CodeMeaning")
]
"""What PS3.4 Table F.7.2-1 has beyond the printed table; the device says why it discontinues."""

REQUESTS = [
    ("start exam", "N-CREATE", "ncreate_scu", []),
    ("complete exam", "N-SET", "nset_scu", []),
    ("first image", "N-CREATE", "ncreate_scu", []),
    ("discontinue exam", "N-SET", "nset_scu", REASON),
]


def sent(story: Story, activity: str, command: str) -> Dataset:
    (talk,) = (talk for talk in story.activities[activity] if talk.asked(command))
    (message,) = talk.asked(command)
    assert message.data is not None
    return message.data


@pytest.mark.requirement("MR-15-01")
@pytest.mark.parametrize(("activity", "command", "column", "more"), REQUESTS)
def test_attributes_and_their_types(mr_story: Story, activity: str, command: str, column: str, more: list[Row]) -> None:
    rows = [*typed(TABLE, column), CHARACTER_SET, *more]
    assert broken_types(sent(mr_story, activity, command), rows) == []


@pytest.mark.requirement("MR-15-01")
@pytest.mark.parametrize("activity", ["complete exam", "discontinue exam"])
def test_final_state_has_what_it_must(mr_story: Story, activity: str) -> None:
    final = [row for row in typed(TABLE, "final_state") if row.type]
    data_set = sent(mr_story, activity, "N-SET")
    wanted = [Row(path, "3") for path in paths_of(data_set) if path not in {row.path for row in final}]
    assert broken_types(data_set, [*final, *wanted]) == []


@pytest.mark.requirement("MR-15-02")
@pytest.mark.parametrize("activity", ["complete exam", "discontinue exam"])
def test_what_is_not_allowed_in_n_set_is_not_sent(mr_story: Story, activity: str) -> None:
    forbidden = {row.path for row in typed(TABLE, "nset_scu") if row.type == NOT_ALLOWED}
    assert len(forbidden) > 30
    assert not forbidden & set(paths_of(sent(mr_story, activity, "N-SET")))


@pytest.mark.requirement("MR-2.4.2-04")
def test_an_association_tells_what_the_peer_supports(tmp_path: Path) -> None:
    with recorded(tmp_path, "mr", change=[("# retry_delay_min = 5", "retry_delay_min = 0")]) as at:
        item = at.modality.worklist()[0]
        at.hospital.misbehave("ris:zero-contexts")
        exam = at.modality.start_exam(item)
        at.settle()
        refused = [talk for talk in at.tap.to("ris") if not talk.accepted]
        assert refused
        assert at.tap.with_command("N-CREATE") == []
        assert [job.state for job in at.modality.jobs.list()] == [JobState.FAILED]
        at.hospital.behave()
        (job,) = at.modality.jobs.list()
        at.modality.jobs.retry(job.id)
        add_image(exam.series("T1"))
        exam.complete()
        at.settle()
        assert [talk.end for talk in at.tap.with_command("N-CREATE")] == ["released"]
