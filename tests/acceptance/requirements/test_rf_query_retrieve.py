"""R/F 4.2.5 and 4.2.6: the R/F device asks an archive, and takes what the archive then sends; and nothing else."""

from __future__ import annotations

import csv
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from pydicom import Dataset
from pynetdicom import AE
from pynetdicom.pdu_primitives import AsynchronousOperationsWindowNegotiation

from openmodality import Modality
from openmodality.cli.main import main
from openmodality.standard.sop_classes import (
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
    VERIFICATION,
    X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE,
    X_RAY_RADIATION_DOSE_SR_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
)
from tests.acceptance.requirements.pynetdicom_hospital import IMPLICIT, TITLE, Recorded, listening, recorded_device
from tests.made_objects import instances
from tests.peers.process import Address
from tests.peers.pynetdicom_ae import associated, find_rejection

QR = "HDR_QR_SCU"
CLASS_UID, VERSION = "2.16.840.1.113669.632.3.1.1.2.7", "Harmony"
MORE = f"""
[device]
implementation_class_uid = "{CLASS_UID}"
implementation_version_name = "{VERSION}"
[parameters.general]
dimse_timeout_s = 1
"""
Answer = int | str


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    with recorded_device(tmp_path_factory.mktemp("rf"), "rf", more=MORE) as made:
        image = next(instances("rf", "RF Image", None))[1]
        made.recorder.images = [image]
        made.recorder.matches = [found(image)]
        made.recorder.destinations[QR] = address(made)
        yield made


def found(image: Dataset) -> Dataset:
    match = Dataset()
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(match, keyword, image[keyword].value)
    return match


def address(recorded: Recorded) -> Address:
    return listening(recorded, "storage_scp", QR)


def study_of(recorded: Recorded) -> str:
    return str(recorded.recorder.images[0].StudyInstanceUID)


def keys(level: str) -> set[str]:
    """The keys of Table 4.2-48 for a level."""
    table = Path(__file__).parents[2] / "data" / "spec" / "rf" / "query_keys.csv"
    with table.open(encoding="utf-8", newline="") as lines:
        return {row["keyword"] for row in csv.DictReader(lines) if row["level"] == level}


def run(recorded: Recorded, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """A command of the user; its exit status."""
    monkeypatch.setattr("openmodality.cli.main.show_log", lambda level: None)  # a test looks at the log by itself
    monkeypatch.setattr(
        sys, "argv", ["openmodality", arguments[0], "hospital", "-c", str(recorded.site), *arguments[1:]]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.requirement(
    "RF-1-04", "RF-4.1.1-08", "RF-4.1.2.5-01", "RF-4.2.5.1-01", "RF-4.2.5.2.4-01", "RF-4.2.5.3.1.1-01",
    "RF-4.2.5.3.1.1-02", "RF-4.2.5.3.1.2-01", "RF-4.2.5.3.1.3-01",
    "RF-4.2.5.3.1.3-02", "RF-4.2.5.3.1.3-06", "RF-4.2.6.3-01", "RF-4.2.5.2.1-01", "RF-4.2.5.2.2-01", "RF-4.2.5.2.3-01",
)  # fmt: skip
def test_query(recorded: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorded.recorder
    recorder.forget()
    patient = str(recorder.images[0].PatientID)
    assert run(recorded, monkeypatch, "query", "--level", "STUDY", "-k", f"PatientID={patient}") == 0
    assert study_of(recorded) in capsys.readouterr().out
    study = f"StudyInstanceUID={study_of(recorded)}"
    assert run(recorded, monkeypatch, "query", "--level", "SERIES", "-k", study) == 0
    studies, series = recorder.closed()
    for call in (studies, series):
        assert (call.calling, call.names, call.end) == (QR, ["C-FIND-RQ"], "released")
        assert call.contexts == {STUDY_ROOT_FIND: (IMPLICIT,)}
        assert (call.roles, call.has_extended_negotiation) == ({}, False)
        assert (call.class_uid, call.version) == (CLASS_UID, VERSION)
        assert (call.application_context, call.operations) == ("1.2.840.10008.3.1.1.1", (1, 1))
    assert recorder.peaks == {QR: 1}
    assert (studies.requests[0].data.QueryRetrieveLevel, studies.requests[0].data.PatientID) == ("STUDY", patient)
    assert series.requests[0].data.QueryRetrieveLevel == "SERIES"
    assert {"PatientID", *keys("STUDY")} <= {element.keyword for element in studies.requests[0].data}
    assert {"StudyInstanceUID", *keys("SERIES")} <= {element.keyword for element in series.requests[0].data}
    assert series.requests[0].data.StudyInstanceUID == study_of(recorded)


@pytest.mark.requirement(
    "RF-1-04", "RF-4.1.1-09", "RF-4.1.1-10", "RF-4.1.2.5-02", "RF-4.1.2.6-03", "RF-4.2.5.1-02",
    "RF-4.2.5.3.1.1-03", "RF-4.2.5.3.1.1-04", "RF-4.2.5.3.1.2-02", "RF-4.2.6.3-01", "RF-4.2.5.3.1.1-05",
    "RF-4.2.5.3.1.4-01", "RF-4.2.5.3.1.4-02", "RF-4.2.6.4.1.1-03", "RF-4.1.2.6-01",
)  # fmt: skip
@pytest.mark.parametrize("level", ["STUDY", "SERIES"])
def test_retrieve(recorded: Recorded, monkeypatch: pytest.MonkeyPatch, level: str) -> None:
    recorder, image = recorded.recorder, recorded.recorder.images[0]
    recorder.forget()
    chosen = ("--series", str(image.SeriesInstanceUID)) if level == "SERIES" else ()
    assert run(recorded, monkeypatch, "retrieve", "--study", study_of(recorded), *chosen) == 0
    (call,) = recorder.closed()
    assert (call.calling, call.names, call.end) == (QR, ["C-MOVE-RQ"], "released")
    assert call.contexts == {STUDY_ROOT_MOVE: (IMPLICIT,)}
    (request,) = call.requests
    assert (request.command.MoveDestination, request.data.QueryRetrieveLevel) == (QR, level)
    assert request.data.StudyInstanceUID == study_of(recorded)
    with Modality(recorded.site, works=False) as modality:
        (stored,) = modality.instances(StudyInstanceUID=study_of(recorded))
        assert stored.attributes["SOPInstanceUID"] == image.SOPInstanceUID
        modality.delete("STUDY", study_of(recorded), force=True)


def row(command: str, answer: Answer, end: str, words: str, *ids: str) -> ParameterSet:
    """How the archive answers, how the association ends then, and what the user reads."""
    name = answer if isinstance(answer, str) else f"{answer:04X}"
    return pytest.param(command, answer, end, words, id=f"{command}-{name}", marks=pytest.mark.requirement(*ids))


@pytest.mark.parametrize(
    ("command", "answer", "end", "words"),
    [
        row("query", 0xC001, "aborted", "C001", "RF-4.2.5.3.1.3-03"),
        row("query", 0x0122, "aborted", "0122", "RF-4.2.5.3.1.3-03"),
        row("query", "silent", "aborted", "C-FIND", "RF-4.2.5.3.1.3-04"),
        row("query", "abort", "closed", "abort", "RF-4.2.5.3.1.3-05"),
        row("retrieve", 0xC001, "aborted", "C001", "RF-4.2.5.3.1.4-03"),
        row("retrieve", 0xA702, "aborted", "A702", "RF-4.2.5.3.1.4-03"),
        row("retrieve", "silent", "aborted", "C-MOVE", "RF-4.2.5.3.1.4-04"),
        row("retrieve", "abort", "closed", "abort", "RF-4.2.5.3.1.4-05"),
    ],
)
def test_failures(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest,
    command: str, answer: Answer, end: str, words: str,
) -> None:  # fmt: skip
    capsys: pytest.CaptureFixture[str] = request.getfixturevalue("capsys")
    caplog: pytest.LogCaptureFixture = request.getfixturevalue("caplog")
    name = "C_FIND" if command == "query" else "C_MOVE"
    recorded.recorder.forget(**{name: answer})
    arguments = ("--level", "STUDY") if command == "query" else ("--study", study_of(recorded))
    with caplog.at_level(logging.INFO, "openmodality"):
        assert run(recorded, monkeypatch, command, *arguments) == 1
    (call,) = recorded.recorder.closed()
    assert call.end == end
    assert words in capsys.readouterr().err
    (failed,) = (record for record in caplog.records if record.message == f"{command}.failed")
    assert words in failed.__dict__["reason"]


def accepted(peer: Address, *contexts: str) -> dict[str, str]:
    with associated(peer, contexts, calling=TITLE) as association:
        assert association.acceptor.implementation_class_uid == CLASS_UID
        assert association.acceptor.implementation_version_name == VERSION
        return {str(each.abstract_syntax): each.transfer_syntax[0] for each in association.accepted_contexts}


STORED = (
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
    X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE,
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
)


@pytest.mark.requirement("RF-4.1.2.6-02", "RF-4.2.5.4-01", "RF-4.2.6.1-01", "RF-4.2.6.2.4-01", "RF-4.2.6.4.1.2-01")
def test_what_the_storage_scp_accepts(recorded: Recorded) -> None:
    others = (X_RAY_RADIATION_DOSE_SR_STORAGE, STUDY_ROOT_FIND, STUDY_ROOT_MOVE)
    with recorded.modality() as modality, modality.receiving(study_of(recorded)):
        found = accepted(address(recorded), VERIFICATION, *STORED, *others)
    assert found == dict.fromkeys((VERIFICATION, *STORED), IMPLICIT)


@pytest.mark.requirement("RF-4.2.6.2.2-01")
def test_one_association_at_a_time(recorded: Recorded) -> None:
    peer = address(recorded)
    with recorded.modality() as modality, modality.receiving(study_of(recorded)):
        with associated(peer, [VERIFICATION], calling=TITLE):
            second = AE(ae_title=TITLE)
            second.add_requested_context(VERIFICATION)
            assert find_rejection(second, peer)
        assert accepted(peer, VERIFICATION)


@pytest.mark.requirement("RF-4.2.6.2.1-01", "RF-4.2.6.2.3-01")
def test_one_operation_at_a_time(recorded: Recorded) -> None:
    window = AsynchronousOperationsWindowNegotiation()
    window.maximum_number_operations_invoked, window.maximum_number_operations_performed = 5, 5
    with (
        recorded.modality() as modality,
        modality.receiving(study_of(recorded)),
        associated(address(recorded), [VERIFICATION], calling=TITLE, ext_neg=[window]) as association,
    ):
        assert association.acceptor.asynchronous_operations == (1, 1)
        assert getattr(association.acceptor.primitive, "application_context_name", "") == "1.2.840.10008.3.1.1.1"
