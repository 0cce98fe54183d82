"""MR 3.2.1 and 3.2.2: queries and retrieves of a user, on the wire."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from openmodality.standard.sop_classes import (
    PATIENT_ROOT_FIND,
    PATIENT_ROOT_MOVE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from tests.acceptance.command_line import Ended
from tests.acceptance.requirements.recording import Recorded, recorded
from tests.acceptance.requirements.wiretap import Conversation

ALL = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
TABLE = Path(__file__).parents[2] / "data" / "spec" / "mr" / "query_keys.csv"
FIND = {"PATIENT": PATIENT_ROOT_FIND, "STUDY": STUDY_ROOT_FIND}
LEVELS = [
    (model, level)
    for model in ("PATIENT", "STUDY")
    for level in ("PATIENT", "STUDY", "SERIES", "IMAGE")
    if (model, level) != ("STUDY", "PATIENT")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asked, what the commands said, and what went over the wire."""

    at: Recorded
    ended: list[Ended]
    study: str
    made: set[str]

    def talk(self, abstract_syntax: str, level: str) -> Conversation:
        """The association on which one level was asked for first."""
        return next(
            each
            for each in self.at.tap.to("pacs")
            if each.proposed[0][0] == abstract_syntax
            and any(data.data is not None and data.data.QueryRetrieveLevel == level for data in each.asked())
        )


def keys(model: str, level: str) -> list[str]:
    """The keys of the statement for one level of a model, as SCU."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["direction"] == "SCU"]
    return [row["keyword"] for row in rows if (row["model"], row["level"]) == (model, level)]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """One exam is at the archive; all levels of both models are queried with all keys, and it is retrieved twice."""
    with recorded(tmp_path_factory.mktemp("mr"), "mr") as at:
        exam = at.scheduled_exam()
        series = at.modality.series()[0]
        unique = {
            "PatientID": series["PatientID"],
            "StudyInstanceUID": exam.study_instance_uid,
            "SeriesInstanceUID": series["SeriesInstanceUID"],
        }
        ended = [at.command("query", "pacs", *_query(model, level, unique)) for model, level in LEVELS]
        study = ("--study", exam.study_instance_uid)
        patient = ("--model", "patient", "--patient-id", unique["PatientID"])
        ended += [at.command("retrieve", "pacs", *study, *more) for more in ((), patient)]
        at.tap.wait_for_ends()
        yield Asked(at, ended, exam.study_instance_uid, {each.SOPInstanceUID for each in exam.instances()})


def _query(model: str, level: str, unique: dict[str, str]) -> list[str]:
    above = {"PATIENT": 0, "STUDY": 1, "SERIES": 2, "IMAGE": 3}[level]
    values = dict.fromkeys(keys(model, level), "") | dict(list(unique.items())[model == "STUDY" : above])
    pairs = [argument for keyword, value in values.items() for argument in ("-k", f"{keyword}={value}")]
    return ["--level", level, "--model", model.lower(), *pairs]


@pytest.mark.requirement("MR-2.1-06", "MR-2.1.1-04", "MR-2.1.1-05", "MR-3.2.1.1-01", "MR-3.2.2.1-02")
def test_the_users_request_opens_an_association(asked: Asked) -> None:
    assert [(each.status, each.err) for each in asked.ended] == [(0, "")] * 9
    talks = [talk for talk in asked.at.tap.to("pacs") if talk.asked("C-FIND") or talk.asked("C-MOVE")]
    assert [len(talk.asked()) for talk in talks] == [1] * 11
    assert {(talk.calling, talk.called, talk.end) for talk in talks} == {("OM_MR", "OM_PACS", "released")}
    stored = [talk for talk in asked.at.tap.to("OM_MR") if talk.asked("C-STORE")]
    assert len(stored) == 2  # a retrieve leads to stores of the archive
    for talk in stored:
        assert {each.command.AffectedSOPInstanceUID for each in talk.asked()} == asked.made


@pytest.mark.requirement("MR-3.2.1.1-03")
def test_the_archive_is_asked_what_it_has_before_it_is_to_send_it(asked: Asked) -> None:
    """Both retrieves of the study, one in each model: which series there are, then the study."""
    talks = [talk for talk in asked.at.tap.to("pacs") if talk.asked("C-FIND") or talk.asked("C-MOVE")][len(LEVELS) :]
    said = [(message.command.CommandField, message.data) for talk in talks for message in talk.asked()]
    assert [field for field, _ in said] == [0x0020, 0x0021] * 2
    for _, data in said:
        assert data is not None
        assert data.StudyInstanceUID == asked.study
    assert [data.QueryRetrieveLevel for _, data in said if data is not None] == ["SERIES", "STUDY"] * 2


@pytest.mark.requirement(
    "MR-3.2.1.2-01", "MR-3.2.1.3-01", "MR-3.2.1.3-02", "MR-3.2.1.4-01", "MR-3.2.1.4-02", "MR-3.2.2.2-01",
)  # fmt: skip
@pytest.mark.parametrize(
    ("abstract_syntax", "level"),
    [*((FIND[model], level) for model, level in LEVELS), (STUDY_ROOT_MOVE, "STUDY"), (PATIENT_ROOT_MOVE, "STUDY")],
)
def test_what_is_proposed(asked: Asked, abstract_syntax: str, level: str) -> None:
    """Without extended negotiation there are no relational queries either (PS3.4 C.5.1.1)."""
    talk = asked.talk(abstract_syntax, level)
    assert talk.proposed == [(abstract_syntax, ALL)]
    assert talk.roles == {}
    assert not talk.has_extended_negotiation


@pytest.mark.requirement("MR-3.2.1.3-03", "MR-3.2.1.4-03")
@pytest.mark.parametrize(("model", "level"), LEVELS)
def test_keys_of_each_level(asked: Asked, model: str, level: str) -> None:
    (message,) = asked.talk(FIND[model], level).asked("C-FIND")
    assert message.data is not None
    assert keys(model, level)
    assert set(keys(model, level)) <= {element.keyword for element in message.data}
