"""Send jobs over DICOMweb to the virtual PACS, which behaves and misbehaves: the outbox keeps its promises."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydicom import dcmread

from openmodality import Modality
from openmodality.activities.stow import BATCH_INSTANCES
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError, NotTrusted, TransportError, UsageError
from openmodality.hospital.hospital import Habits, Hospital
from openmodality.jobs.job import Job, JobInstance
from openmodality.store.listing.audit import AuditSearch
from openmodality.store.states import InstanceResult, JobState
from tests import plain_http
from tests.acceptance.hospital_site import in_hospital
from tests.audit_messages import find_schema_faults
from tests.interop.certificates import KeyPair, key_pair
from tests.peers.objects import mr_series

COUNT = 5


@dataclass(frozen=True, slots=True)
class Clouds:
    """A device whose peer ``cloud`` is the DICOMweb service of the virtual PACS."""

    hospital: Hospital
    modality: Modality

    def send(self, study: str) -> Job:
        """Send a study, and wait until its job has come to a stop, or waits for another try."""
        (job,) = self.modality.send(study, "cloud")
        return self.wait(job.id)

    def wait(self, job_id: int, attempts: int = 0) -> Job:
        """The job, once it has ended or has failed another time."""
        assert self.modality.wait_until(lambda: self._has_stopped(job_id, attempts), 30)
        return self.modality.jobs.show(job_id).job

    def _has_stopped(self, job_id: int, attempts: int) -> bool:
        job = self.modality.jobs.show(job_id).job
        return job.state.finished or (job.state is JobState.TODO and job.attempts > attempts)

    def again(self, job: Job) -> Job:
        """The job, after a person had it tried again."""
        self.modality.jobs.retry(job.id)
        return self.wait(job.id)

    def list_results(self, job: Job) -> list[JobInstance]:
        """What became of each instance."""
        return list(self.modality.jobs.show(job.id).instances)

    @property
    def stored(self) -> int:
        """How many instances the PACS has."""
        return len(self.hospital.pacs.instances)


@contextmanager
def in_clouds(folder: Path, peer: str = "", tls: str = "") -> Iterator[Clouds]:
    """A hospital whose PACS takes STOW-RS, and a device that sends there.

    ``peer`` are more settings of that peer, ``tls`` those of [tls].
    """
    with in_hospital(folder, habits=Habits(web_port=0)) as place:
        text = place.site.read_text(encoding="utf-8").replace("[tls]\n", f"[tls]\n{tls}\n")
        (folder / "mr" / "token").write_text("secret-token\n")
        peer = f'\n[peers.cloud]\nurl = "{place.hospital.web_url}"\nservices = ["storage"]\n{peer}\n'
        place.site.write_text(text + peer, encoding="utf-8")
        with Modality(place.site) as modality:
            yield Clouds(place.hospital, modality)


@pytest.fixture
def clouds(tmp_path: Path) -> Iterator[Clouds]:
    with in_clouds(tmp_path) as made:
        yield made


def add_study(clouds: Clouds, folder: Path, count: int = COUNT) -> str:
    """A study in the local database; its UID."""
    files = mr_series(folder, count, rows=16, columns=16)
    clouds.modality.import_files(files)
    return str(dcmread(files[0]).StudyInstanceUID)


def test_a_study_is_stored_instance_by_instance_and_is_what_it_was(clouds: Clouds, tmp_path: Path) -> None:
    study = add_study(clouds, tmp_path / "files", BATCH_INSTANCES + 3)
    job = clouds.send(study)
    assert (job.state, clouds.stored) == (JobState.DONE, BATCH_INSTANCES + 3)
    assert {(each.result, each.status) for each in clouds.list_results(job)} == {(InstanceResult.SUCCESS, 0)}
    for uid, instance in clouds.hospital.pacs.instances.items():
        ours = dcmread(clouds.modality.instance_path(uid))
        assert dcmread(instance.path).to_json() == ours.to_json()
    again = clouds.send(study)
    assert again.state is JobState.DONE  # what is there already stays, and is no failure


def test_one_instance_that_is_refused_for_now_is_sent_again_and_no_other(clouds: Clouds, tmp_path: Path) -> None:
    clouds.hospital.misbehave("pacs:stow-a700@3")
    job = clouds.send(add_study(clouds, tmp_path / "files"))
    results = clouds.list_results(job)
    assert (job.state, job.attempts, clouds.stored) == (JobState.TODO, 1, COUNT - 1)
    assert [each.status for each in results if each.result is InstanceResult.FAILURE] == [0xA700]
    assert "A700" in job.reason
    before = {each.SOPInstanceUID: each.attempts for each in results}
    job = clouds.again(job)
    after = {each.SOPInstanceUID: each.attempts for each in clouds.list_results(job)}
    assert (job.state, clouds.stored) == (JobState.DONE, COUNT)
    assert sorted(after[uid] - before[uid] for uid in after) == [0, 0, 0, 0, 1]


def test_an_instance_that_is_refused_for_good_waits_for_a_person(clouds: Clouds, tmp_path: Path) -> None:
    clouds.hospital.misbehave("pacs:stow-0122@1")
    job = clouds.send(add_study(clouds, tmp_path / "files"))
    assert (job.state, clouds.stored) == (JobState.FAILED, COUNT - 1)
    assert "0122" in job.reason
    assert clouds.again(job).state is JobState.DONE


@pytest.mark.parametrize(
    ("personality", "state", "words"),
    [
        ("stow-401", JobState.FAILED, "401 it does not know us"),
        ("stow-409", JobState.FAILED, "did not say what became of it"),
        ("stow-503", JobState.TODO, "503 it has no room or no time now"),
        ("stow-cut", JobState.TODO, "ended the connection"),
    ],
)
def test_a_request_that_is_refused_is_said_and_can_be_repeated(
    clouds: Clouds, tmp_path: Path, personality: str, state: JobState, words: str
) -> None:
    clouds.hospital.misbehave(f"pacs:{personality}")
    job = clouds.send(add_study(clouds, tmp_path / "files"))
    assert (job.state, clouds.stored) == (state, 0)
    assert words in job.reason
    assert {each.result for each in clouds.list_results(job)} == {InstanceResult.FAILURE}
    clouds.hospital.behave()
    assert (clouds.again(job).state, clouds.stored) == (JobState.DONE, COUNT)


def test_an_instance_that_the_answer_does_not_name_is_not_taken_for_stored(clouds: Clouds, tmp_path: Path) -> None:
    clouds.hospital.misbehave("pacs:stow-unsaid@2")
    job = clouds.send(add_study(clouds, tmp_path / "files"))
    failed = [each for each in clouds.list_results(job) if each.result is InstanceResult.FAILURE]
    assert (job.state, len(failed), clouds.stored) == (JobState.TODO, 1, COUNT)
    assert failed[0].comment == "the peer answered 200 and did not say what became of it"
    assert clouds.again(job).state is JobState.DONE


def test_what_is_too_much_at_once_is_sent_in_smaller_requests(clouds: Clouds, tmp_path: Path) -> None:
    clouds.hospital.misbehave("pacs:stow-413@1", "pacs:stow-413@2")
    job = clouds.send(add_study(clouds, tmp_path / "files"))
    assert (job.state, clouds.stored) == (JobState.DONE, COUNT)


def test_there_is_no_commitment_and_that_is_said(clouds: Clouds, tmp_path: Path) -> None:
    study = add_study(clouds, tmp_path / "files")
    clouds.send(study)
    with pytest.raises(UsageError) as caught:
        clouds.modality.commit(study, "cloud")
    assert "DICOMweb, which has no storage commitment" in str(caught.value)
    hindrance = clouds.modality.find_hindrance("STUDY", study)
    assert hindrance is not None
    assert "DICOMweb" in hindrance.advice


def test_an_echo_says_what_it_asked(clouds: Clouds) -> None:
    answer = clouds.modality.verify("cloud")
    assert (answer.is_success, answer.status) == (True, 200)
    assert answer.said == "answered 200 OK to OPTIONS"


def test_a_peer_that_is_not_there_is_said_and_asked_again(tmp_path: Path) -> None:
    with in_clouds(tmp_path) as clouds:
        study = add_study(clouds, tmp_path / "files")
        clouds.hospital.__exit__()
        job = clouds.send(study)
        assert (job.state, job.attempts) == (JobState.TODO, 1)
        assert "nothing answers at" in job.reason
        with pytest.raises(TransportError):
            clouds.modality.verify("cloud")


@pytest.mark.parametrize("given", ['token_file = "token"', 'user = "mr1"\npassword_file = "token"'])
def test_who_we_are_is_shown_and_in_no_log(tmp_path: Path, given: str, caplog: pytest.LogCaptureFixture) -> None:
    with in_clouds(tmp_path, given) as clouds, listening() as (port, requests):
        clouds.modality.site.peers["cloud"].settings.__dict__["url"] = f"http://127.0.0.1:{port}/web"
        with pytest.raises(TransportError):
            clouds.modality.verify("cloud")
        job = clouds.send(add_study(clouds, tmp_path / "files", 1))
    shown = b"Bearer secret-token" if "token_file" in given else b"Basic bXIxOnNlY3JldC10b2tlbg=="
    assert all(shown in request for request in requests)
    assert len(requests) >= 2
    assert "secret-token" not in caplog.text + job.reason


@contextmanager
def listening() -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads the head of each request, and hangs up in the middle."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    requests.append(connection.recv(4096))

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield server.getsockname()[1], requests
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(10)


# What the audit trail is told


def list_transfers(clouds: Clouds) -> list[tuple[str, int, str]]:
    """Kind, outcome and message of what is on record of transfers, oldest first."""
    rows = clouds.modality.audit.find(AuditSearch(kinds=["begin-transfer", "transfer"])).rows
    return [(row.entry.kind, row.entry.outcome, row.entry.message) for row in reversed(rows)]


def test_what_leaves_is_on_record_before_and_after(clouds: Clouds, tmp_path: Path) -> None:
    study = add_study(clouds, tmp_path / "files", BATCH_INSTANCES + 1)
    clouds.send(study)
    begun, ended = list_transfers(clouds)
    assert (begun[0], ended[:2]) == ("begin-transfer", ("transfer", 0))
    for message in (begun[2], ended[2]):
        assert study in message
        assert clouds.hospital.web_url in message, "to whom"
        assert find_schema_faults(message) == []


def test_what_did_not_get_there_is_on_record_as_that(clouds: Clouds, tmp_path: Path) -> None:
    clouds.hospital.misbehave("pacs:stow-a700@1")
    clouds.send(add_study(clouds, tmp_path / "files", 2))
    assert [(kind, outcome) for kind, outcome, _ in list_transfers(clouds)] == [
        ("begin-transfer", 0),
        ("transfer", 4),
    ]


def test_nothing_is_on_record_as_sent_to_a_peer_that_is_not_there(clouds: Clouds, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        move_cloud(clouds, f"http://127.0.0.1:{taken.getsockname()[1]}/web")
    job = clouds.send(add_study(clouds, tmp_path / "files", 1))
    assert job.state is JobState.TODO
    assert list_transfers(clouds) == []


# Under TLS


def move_cloud(clouds: Clouds, url: str) -> None:
    """Let the peer be elsewhere."""
    settings = clouds.modality.site.peers["cloud"].settings
    settings.__dict__ |= {"url": url, "host": urlsplit(url).hostname, "port": urlsplit(url).port}


@contextmanager
def under_tls(clouds: Clouds, keys: KeyPair, host: str = "127.0.0.1") -> Iterator[str]:
    """The service of the PACS behind a server that speaks TLS; its URL."""
    place = urlsplit(clouds.hospital.web_url)

    def pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    class Front(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            context = keys.server(clients_need_certificates=False)
            try:
                client = context.wrap_socket(self.request, server_side=True)
            except OSError:
                return  # the device hangs up on whom it does not know
            with client, socket.create_connection((place.hostname, place.port or 0)) as behind:
                back = threading.Thread(target=pump, args=(behind, client), daemon=True)
                back.start()
                pump(client, behind)
                back.join(10)

    with socketserver.ThreadingTCPServer((host, 0), Front) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"https://{host}:{server.server_address[1]}{place.path}"
        finally:
            server.shutdown()
            thread.join(10)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return key_pair(tmp_path_factory.mktemp("keys"), "cloud")


def trusting(keys: KeyPair) -> str:
    """The settings of a site that takes what this authority has signed."""
    return f'ca_certificates = "{keys.authority}"'


def test_a_peer_whose_certificate_the_site_trusts_gets_all(tmp_path: Path, keys: KeyPair) -> None:
    with in_clouds(tmp_path, tls=trusting(keys)) as clouds, under_tls(clouds, keys) as url:
        move_cloud(clouds, url)
        job = clouds.send(add_study(clouds, tmp_path / "files"))
        assert (job.state, clouds.stored) == (JobState.DONE, COUNT)


def test_a_peer_that_nobody_vouches_for_gets_nothing(tmp_path: Path, keys: KeyPair) -> None:
    """Its certificate is checked where the site says nothing of TLS, too."""
    with in_clouds(tmp_path, 'token_file = "token"') as clouds, under_tls(clouds, keys) as url:
        move_cloud(clouds, url)
        job = clouds.send(add_study(clouds, tmp_path / "files"))
        assert (job.state, clouds.stored) == (JobState.TODO, 0)
        assert "certificate" in job.reason.lower()
        with pytest.raises(NotTrusted):
            clouds.modality.verify("cloud")
        alerts = clouds.modality.audit.find(AuditSearch(kinds=["alert"])).rows
        assert any(urlsplit(url).netloc in row.entry.message for row in alerts)


def test_a_certificate_of_another_host_is_refused(tmp_path: Path, keys: KeyPair) -> None:
    with in_clouds(tmp_path, tls=trusting(keys)) as clouds, under_tls(clouds, keys, "127.0.0.2") as url:
        move_cloud(clouds, url)
        job = clouds.send(add_study(clouds, tmp_path / "files"))
        assert (job.state, clouds.stored) == (JobState.TODO, 0)
        assert list_transfers(clouds) == []


# The site file


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ('url = "ftp://x/y"', "a URL looks like"),
        ('url = "https://me:secret@x/y"', "name and password do not belong into a URL"),
        ('url = "http://x/y"\nhost = "x"', "url stands in place of host"),
        (
            'url = "http://x/y"\nservices = ["storage", "storage_commitment"]',
            "storage only, and not storage_commitment",
        ),
        ('url = "http://x/y"\nservices = ["storage"]\nautomatic_commitment = true', "no storage commitment"),
        ('url = "http://x/y"\nuser = "me"', "user and password_file"),
        ('url = "http://x/y"\ntoken_file = "nowhere"', "there is no file"),
        ('ae_title = "A"\nhost = "x"\nport = 1\ntoken_file = "t"', "are for a peer with url"),
        ('ae_title = ""\nhost = "x"\nport = 1', "ae_title is empty"),
        ('host = "x"\nport = 1', "ae_title"),
    ],
)
def test_a_peer_that_cannot_be_is_refused_with_words(tmp_path: Path, settings: str, words: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(f'profile = "mr"\n[peers.cloud]\n{settings}\n')
    with pytest.raises(ConfigurationError) as caught:
        load_site(file)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)


# The service of the virtual PACS


def test_the_service_refuses_what_is_no_study_and_goes_on(clouds: Clouds) -> None:
    url = f"{clouds.hospital.web_url}/studies"
    kind = {"content-type": 'multipart/related; type="application/dicom"; boundary=x'}
    with plain_http.open_client(timeout=20) as client:
        assert client.post(url, content=b"x", headers={"content-type": "text/plain"}).status_code == 415
        assert client.post(url, content=b"--x\r\ncut", headers=kind).status_code == 400
        assert client.post(f"{url}2", content=b"x", headers=kind).status_code == 404
        answer = client.post(url, content=iter([b"--x\r\n\r\nno DICOM", b"\r\n--x--"]), headers=kind)  # in chunks
        assert answer.status_code == 409
        assert answer.json()["00081198"]["Value"][0]["00081197"]["Value"] == [0xC001]
    assert clouds.stored == 0
