"""Archive: what is asked of an archive made of pynetdicom, what it is asked to send, and how each failure is told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.activities.retrieve_job import read_counts
from openmodality.console.server import ConsoleServer
from openmodality.errors import WrongState
from openmodality.store.states import UNFINISHED_JOBS, JobKind, JobState
from tests.acceptance.requirements.pynetdicom_hospital import Recorded, listening, recorded_device
from tests.console_site import ConsolePlace, Visitor
from tests.made_objects import instances
from tests.peers.process import free_port, wait_until

Answer = int | str
MORE = "[parameters.general]\ndimse_timeout_s = 1\n"
OBJECTS = {"mr": "MR Image", "rf": "RF Image"}
ROLES = {"mr": "device", "rf": "storage_scp"}
OWN = {"mr": "OM_MR", "rf": "HDR_QR_SCU"}


class Desk:
    """A user at the page Archive, and the archive that records what it is asked."""

    def __init__(self, profile: str, recorded: Recorded, place: ConsolePlace, visitor: Visitor) -> None:
        self.profile, self.recorded, self.place, self.visitor = profile, recorded, place, visitor

    def query(self, source: str = "hospital", **keys: str) -> str:
        """What the page says once the answer has come."""
        self.visitor.post("/archive/query", source=source, **keys)
        wait_until(lambda: "Asking" not in self.visitor.get("/archive/list").text, timeout_s=20)
        return self.visitor.get("/archive/list").text

    def choose(self, **fields: str) -> str:
        """What the page says after Send; ``to`` and what is ticked are given."""
        number = re.search(r'name="number" value="(\d+)"', self.visitor.get("/archive").text)
        assert number
        path = fields.pop("path", "/archive/send")
        self.visitor.post(path, number=number[1], **fields)
        return self.visitor.get("/archive").text

    def wait_for_moves(self) -> str:
        """The part with the retrieves, once none goes on."""
        wait_until(lambda: "every 1s" not in self.visitor.get("/archive/moves").text, timeout_s=20)
        return self.visitor.get("/archive/moves").text

    @property
    def study(self) -> str:
        return str(self.recorded.recorder.images[0].StudyInstanceUID)


def found(image: Dataset) -> Dataset:
    match = Dataset()
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(match, keyword, image[keyword].value)
    match.StudyDescription = "HEAD <b>"
    match.NumberOfStudyRelatedInstances = "1"
    return match


@contextmanager
def at_the_desk(folder: Path, profile: str, more: str = "") -> Iterator[Desk]:
    with (
        recorded_device(folder, profile, more=f"{MORE}{more}[console]\nport = {free_port()}\n") as recorded,
        recorded.modality() as modality,
    ):
        image = next(instances(profile, OBJECTS[profile], None))[1]
        recorder = recorded.recorder
        recorder.images, recorder.matches = [image], [found(image)]
        recorder.destinations[OWN[profile]] = listening(recorded, ROLES[profile], OWN[profile])
        modality.serve()
        with ConsoleServer(modality) as server, ExitStack() as clients:
            place = ConsolePlace(None, recorded.site, modality, server, clients)  # type: ignore[arg-type]
            place.add_user("anna", "senior")
            yield Desk(profile, recorded, place, place.log_in("anna"))


@pytest.fixture(scope="module", params=["mr", "rf"])
def desk(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with at_the_desk(tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made


@pytest.fixture(autouse=True)
def begin_anew(request: pytest.FixtureRequest) -> None:
    if "desk" in request.fixturenames:
        made: Desk = request.getfixturevalue("desk")
        jobs = made.place.modality.jobs
        assert made.place.modality.wait_until(lambda: not jobs.list(states=[JobState.TODO, JobState.DOING]), 20)
        made.recorded.recorder.forget()


@pytest.mark.requirement(
    "MR-2.1.1-04", "MR-2.1.2-14", "MR-2.1.2-15", "MR-3.2-01", "MR-3.2.1.1-01", "MR-3.2.1.1-02", "RF-4.1.2.5-01",
    "RF-4.2.5.3.1.1-01", "RF-4.2.5.3.1.3-01", "RF-4.2.5.3.1.3-02",
)  # fmt: skip
def test_a_query_of_the_user_goes_out_with_his_keys_and_its_answer_is_shown(desk: Desk) -> None:
    recorder = desk.recorded.recorder
    desk.visitor.get("/archive")
    assert recorder.calls == [], "nobody is asked before the user says so"
    said = desk.query(PatientName="Do*", PatientID="?1*")
    (request,) = recorder.requests("C-FIND-RQ")
    assert (request.data.QueryRetrieveLevel, request.data.PatientName, request.data.PatientID) == (
        "STUDY",
        "Do*",
        "?1*",
    )
    assert "1 patient, 1 study" in said
    assert "HEAD &lt;b&gt;" in said
    assert "<bdi>Do*</bdi>" in said, "with what was asked"
    assert desk.visitor.get("/archive").text.count(desk.study), "a page that is loaded again has it"
    desk.visitor.post(f"/archive/study/{desk.study}")
    wait_until(lambda: "asking" not in desk.visitor.get(f"/archive/study/{desk.study}").text, timeout_s=20)
    assert recorder.requests("C-FIND-RQ")[1].data.StudyInstanceUID == desk.study
    assert 'name="series"' in desk.visitor.get("/archive").text


def test_a_date_that_is_none_is_told_at_its_field(desk: Desk) -> None:
    answer = desk.visitor.post("/archive/query", source="pacs", StudyDate="yesterday")
    assert "Study Date: a date is YYYYMMDD" in answer.text
    assert re.search(r'name="StudyDate" value="yesterday"[^>]*aria-invalid="true"', answer.text)


def test_without_a_key_nothing_is_asked(desk: Desk) -> None:
    answer = desk.visitor.post("/archive/query", source="hospital")
    assert answer.status_code == 400
    assert "Give a name" in answer.text
    assert desk.recorded.recorder.calls == []


@pytest.mark.requirement(
    "RF-4.1.2.5-02", "RF-4.2.5.3.1.1-03", "MR-2.1.1-05", "MR-3.2-01", "MR-3.2.2.1-01", "MR-3.2.2.1-02"
)
@pytest.mark.parametrize("level", ["patient", "study", "series"])
def test_what_is_chosen_is_sent_by_the_archive_and_counted(desk: Desk, level: str) -> None:
    recorder, image = desk.recorded.recorder, desk.recorded.recorder.images[0]
    desk.query(PatientID="*")
    desk.visitor.post(f"/archive/study/{desk.study}")
    wait_until(lambda: "asking" not in desk.visitor.get(f"/archive/study/{desk.study}").text, timeout_s=20)
    ticked = {"patient": "0", "study": desk.study, "series": str(image.SeriesInstanceUID)}
    assert "Queued: job" in desk.choose(to="", **{level: ticked[level]})
    said = desk.wait_for_moves()
    (request,) = recorder.requests("C-MOVE-RQ")
    assert request.data.QueryRetrieveLevel == ("SERIES" if level == "series" else "STUDY")
    assert request.command.MoveDestination == OWN[desk.profile]
    assert f"1 of 1 sent to {OWN[desk.profile]}" in said
    job = desk.place.modality.jobs.list(kinds=[JobKind.RETRIEVE])[0]
    counts = read_counts(job)
    assert (job.state, counts.completed, counts.remaining, counts.failed) == (JobState.DONE, 1, 0, 0)
    (stored,) = desk.place.modality.instances(StudyInstanceUID=desk.study)
    assert stored["SOPInstanceUID"] == image.SOPInstanceUID
    desk.place.modality.delete("STUDY", desk.study, force=True)


def answer(command: str, answer: Answer, words: str, *ids: str) -> object:
    name = answer if isinstance(answer, str) else f"{answer:04X}"
    return pytest.param(command, answer, words, id=f"{command}-{name}", marks=pytest.mark.requirement(*ids))


@pytest.mark.parametrize(
    ("command", "given", "words"),
    [
        answer("C_FIND", 0xC001, "C001", "RF-4.2.5.3.1.3-03"),
        answer("C_FIND", "silent", "no final response|C-FIND", "RF-4.2.5.3.1.3-04"),
        answer("C_FIND", "abort", "abort", "RF-4.2.5.3.1.3-05"),
        answer("C_MOVE", 0xC001, "C001", "RF-4.2.5.3.1.4-03"),
        answer("C_MOVE", 0xA702, "A702 out of resources", "RF-4.2.5.3.1.4-03"),
        answer("C_MOVE", "silent", "C-MOVE", "RF-4.2.5.3.1.4-04"),
        answer("C_MOVE", "abort", "abort", "RF-4.2.5.3.1.4-05"),
    ],
)
def test_a_failure_is_told_on_the_page_and_under_jobs(desk: Desk, command: str, given: Answer, words: str) -> None:
    recorder = desk.recorded.recorder
    if command == "C_FIND":
        recorder.forget(C_FIND=given)
        said = desk.query(PatientID="*")
        assert "gave no list" in said
        assert 'role="alert"' in said
        assert "<table" not in said
    else:
        desk.query(PatientID="*")
        recorder.forget(C_MOVE=given)
        desk.choose(to="", study=desk.study)
        said = desk.wait_for_moves()
        assert "failed" in said
        job = desk.place.modality.jobs.list(kinds=[JobKind.RETRIEVE])[0]
        assert job.state is JobState.FAILED
        group = desk.visitor.get("/jobs").text.partition("Needs you")[2].partition("Being done")[0]
        assert f"job {job.id}<" in group
        assert re.search(words, group)
        desk.place.modality.jobs.cancel(job.id)
    assert re.search(words, said)
    assert recorder.closed()[-1].end in ("aborted", "closed")


def test_what_this_device_refuses_of_a_retrieve_is_told(desk: Desk) -> None:
    recorder = desk.recorded.recorder
    whole = recorder.images
    broken = deepcopy(whole[0])
    del broken.SeriesInstanceUID
    desk.query(PatientID="*")
    try:
        recorder.images = [broken]
        desk.choose(to="", study=desk.study)
        said = desk.wait_for_moves()
    finally:
        recorder.images = whole
    job = desk.place.modality.jobs.list(kinds=[JobKind.RETRIEVE])[0]
    assert job.state is JobState.FAILED
    for shown in (said, desk.visitor.get(f"/jobs/{job.id}").text):
        assert "SeriesInstanceUID has no value" in shown
        assert "1 failed" in shown
    done = desk.visitor.get(f"/jobs/{job.id}").text.partition("<dt>Done</dt>")[2].partition("</div>")[0]
    assert "0 of 1, 1 failed" in done
    desk.place.modality.jobs.cancel(job.id)


@pytest.mark.requirement("MR-3.2.2.1-03", "MR-3.1.1-01")
def test_another_ae_can_be_the_destination_of_a_move(tmp_path: Path) -> None:
    other = '[peers.workstation]\nae_title = "READER"\nhost = "127.0.0.1"\nport = 1\nservices = ["storage"]\n'
    with at_the_desk(tmp_path, "mr", other) as desk:
        page = desk.query(PatientID="*")
        assert '<option value="READER">workstation (READER)</option>' in page
        assert "<option>hospital</option>" in page, "which is to be asked to keep it"
        source = desk.visitor.get("/archive").text.partition('id="source"')[2].partition("</select>")[0]
        assert re.findall(r'value="(\w*)"', source) == ["hospital", ""]
        desk.choose(to="READER", study=desk.study)
        said = desk.wait_for_moves()
        (request,) = desk.recorded.recorder.requests("C-MOVE-RQ")
        assert request.command.MoveDestination == "READER"
        assert "A801" in said, "the archive does not know it"
        assert "let the peer know READER" in said


@pytest.mark.requirement("MR-2.1.1-06", "MR-2.1.3-02", "MR-3.2.4.1-02")
def test_what_is_chosen_is_asked_to_be_kept_before_it_was_sent(desk: Desk) -> None:
    recorder, modality = desk.recorded.recorder, desk.place.modality
    desk.query(PatientID="*")
    refused = desk.choose(path="/archive/commit", keeper="hospital", study=desk.study)
    assert "not on this device" in refused
    assert modality.jobs.list(kinds=[JobKind.COMMIT]) == []
    desk.choose(to="", study=desk.study)
    desk.wait_for_moves()
    page = desk.query(source="", PatientName="*")
    assert "Answer of this device" in page
    for ticked in ({"patient": "0"}, {"study": desk.study}):
        said = desk.choose(path="/archive/commit", keeper="hospital", **ticked)
        (job,) = modality.jobs.list(kinds=[JobKind.COMMIT], limit=1)
        assert f"asked to keep it for good: job {job.id}" in said
        wait_until(lambda: any(each.data for each in recorder.requests("N-ACTION-RQ")), timeout_s=20)
        (request,) = recorder.requests("N-ACTION-RQ")
        (named,) = request.data.ReferencedSOPSequence
        assert named.ReferencedSOPInstanceUID == recorder.images[0].SOPInstanceUID
        assert recorder.requests("C-STORE-RQ") == []
        modality.jobs.cancel(job.id)
        assert modality.wait_until(lambda: not modality.jobs.list(states=UNFINISHED_JOBS), 20)
        recorder.forget()
    modality.delete("STUDY", desk.study, force=True)


def test_what_this_device_has_is_sent_from_here(desk: Desk) -> None:
    modality = desk.place.modality
    desk.query(PatientID="*")
    desk.choose(to="", study=desk.study)
    desk.wait_for_moves()
    desk.query(source="", PatientName="*")
    assert "Queued: job" in desk.choose(to="hospital", study=desk.study)
    wait_until(lambda: bool(desk.recorded.recorder.requests("C-STORE-RQ")), timeout_s=20)
    for job in modality.jobs.list(states=UNFINISHED_JOBS):
        with suppress(WrongState):  # it may be done by now
            modality.jobs.cancel(job.id)
    modality.wait_until(lambda: not modality.jobs.list(states=[JobState.DOING]), 20)
    modality.delete("STUDY", desk.study, force=True)


def test_a_list_that_was_replaced_chooses_nothing(desk: Desk) -> None:
    desk.query(PatientID="*")
    desk.visitor.post("/archive/send", number="0", to="", study=desk.study)
    assert "the list is another one by now" in desk.visitor.get("/archive").text.casefold()
    assert "Nothing is chosen" in desk.choose(to="")
    assert "another one by now" in desk.visitor.post("/archive/study/1.2.3").text
    assert desk.recorded.recorder.requests("C-MOVE-RQ") == []


def test_a_retrieve_that_is_run_again_asks_for_what_is_missing(desk: Desk) -> None:
    recorder, modality = desk.recorded.recorder, desk.place.modality
    image = recorder.images[0]
    recorder.forget(C_MOVE=0xC001)
    desk.query(PatientID="*")
    desk.choose(to="", study=desk.study)
    desk.wait_for_moves()
    job = modality.jobs.list(kinds=[JobKind.RETRIEVE])[0]
    recorder.matches[0].SOPInstanceUID = image.SOPInstanceUID
    recorder.forget()
    desk.visitor.post(f"/jobs/{job.id}/retry")
    desk.wait_for_moves()
    assert [request.data.QueryRetrieveLevel for request in recorder.requests("C-FIND-RQ")] == ["SERIES", "IMAGE"]
    assert [request.data.QueryRetrieveLevel for request in recorder.requests("C-MOVE-RQ")] == ["SERIES"]
    del recorder.matches[0].SOPInstanceUID
    modality.delete("STUDY", desk.study, force=True)


def test_who_may_only_look_asks_nothing(desk: Desk) -> None:
    desk.place.add_user(f"view-{desk.profile}", "viewer")
    viewer = desk.place.log_in(f"view-{desk.profile}")
    assert "Query</button>" not in viewer.get("/archive").text
    for path in ("/archive/query", "/archive/send", "/archive/commit", "/archive/study/1.2"):
        assert viewer.post(path, PatientID="*", source="hospital").status_code == 403
    assert desk.recorded.recorder.calls == []
