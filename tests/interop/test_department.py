"""Four devices of both profiles, each a process of its own, share one PostgreSQL server."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from openmodality import Modality
from openmodality.errors import NotFound, StoreError, WrongState
from openmodality.exam.session import Exam
from openmodality.hospital.addresses import Endpoint
from openmodality.hospital.hospital import Habits, Hospital
from openmodality.jobs.job import Job, NewJob
from openmodality.jobs.listing import get_job, list_left
from openmodality.jobs.outcome import Done, JobOutcome
from openmodality.jobs.queue import LEASE_S, Queue
from openmodality.jobs.report import JobReport
from openmodality.jobs.worker import Worker
from openmodality.standard.query_retrieve import Level
from openmodality.store.database import Database, open_database
from openmodality.store.listing.search import Search
from openmodality.store.notices import JobNotices
from openmodality.store.ownership import find_device
from openmodality.store.rows.worklist import WorklistItem
from openmodality.store.states import JobKind, JobState
from tests.devices import add_image, device_in_hospital, today, write_site, write_two_peers
from tests.fault.test_kill import acknowledged, starter
from tests.peers.postgres import postgres
from tests.peers.process import free_port, wait_until

AT_ONCE = {False: 3, True: 10}
"""How many exams are open at once in a room: in the suite, in a soak."""
ROOMS = {"mr": ("OM_MR", "OM_MR2"), "rf": ("ADR_S_COMM_SCU", "ADR_S_COMM_2")}


class Room:
    """The site file of a device, and what it has acknowledged."""

    def __init__(self, folder: Path, profile: str, title: str) -> None:
        self.folder = folder / title
        self.profile = profile
        self.title = title
        self.port = free_port()
        self.acked = folder / f"{title}.acked"

    def write(self, hospital: Hospital, url: str) -> Path:
        """The site file, in which the device has its own AE title and the database of the department."""
        ports = hospital.ris_peer.port, hospital.pacs_peer.port
        site = write_two_peers(self.folder, self.profile, *ports, own_port=self.port)
        text = site.read_text("utf-8").replace(f"port = {self.port}", f'port = {self.port}\nae_title = "{self.title}"')
        site.write_text(text, "utf-8")
        join(site, url, self.title)
        return site


def join(site: Path, url: str, name: str) -> None:
    """Let a device be one of the department's."""
    text = site.read_text("utf-8").replace('durability = "os"', f'durability = "os"\ndatabase = "{url}"')
    site.write_text(f'{text}\n[device]\nstation_name = "{name}"\n', "utf-8")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture
def url(server: str) -> str:
    """An empty database on the server."""
    name = f"d{free_port()}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.rpartition("/")[0] + f"/{name}"


@pytest.mark.timeout(300)
def test_forty_exams_at_once_in_four_rooms_two_of_which_are_killed(tmp_path: Path, url: str, soak: bool) -> None:
    """Forty in a soak, twelve in the suite."""
    rooms = [Room(tmp_path, profile, title) for profile, titles in ROOMS.items() for title in titles]
    devices = {room.title: ("127.0.0.1", room.port) for room in rooms}
    endpoints = (Endpoint("OM_RIS"), Endpoint("OM_PACS"), Endpoint("OM_PRINT"))
    with (
        Hospital(tmp_path / "hospital", *endpoints, devices, Habits(commitment_retry_s=0.2)) as hospital,
        ExitStack() as stack,
    ):
        sites = [room.write(hospital, url) for room in rooms]
        forked = [stack.enter_context(starter()) for _ in rooms]
        pids = [
            each.start("rooms", site, AT_ONCE[soak], room.acked)
            for each, site, room in zip(forked, sites, rooms, strict=True)
        ]
        for number in (1, 2):  # one of each profile, in the middle of its exams
            taken = rooms[number].acked
            wait_until(lambda: len(acknowledged(taken)) >= 3, timeout_s=120, what="three images")  # noqa: B023
            os.kill(pids[number], signal.SIGKILL)
            assert forked[number].ended() == signal.SIGKILL
            forked[number].start("finish", sites[number], number, taken)
        assert [each.ended() for each in forked] == [0, 0, 0, 0]
        compare(hospital, rooms, sites, AT_ONCE[soak])


def compare(hospital: Hospital, rooms: list[Room], sites: list[Path], at_once: int) -> None:
    """Each device has its own images, exams and jobs and no others; the archive has all, the department's list too."""
    whole: set[str] = set()
    steps: dict[str, str] = {}
    for room, site in zip(rooms, sites, strict=True):
        with Modality(site, works=False) as modality:
            own = {found["SOPInstanceUID"]: found for found in modality.instances()}
            assert acknowledged(room.acked) <= set(own)
            assert all(modality.instance_path(uid).exists() for uid in own)
            assert {uid for uid, found in own.items() if found.committed} == set(own)
            assert whole.isdisjoint(own)
            jobs = modality.jobs.list()
            assert {job.state for job in jobs} == {JobState.DONE}
            sending = [job.id for job in jobs if job.kind is JobKind.SEND]
            sent = {each.SOPInstanceUID for job_id in sending for each in modality.jobs.show(job_id).instances}
            assert sent == set(own)
            exams = modality.exams()
            assert len(exams) <= at_once
            steps |= {step.uid: step.state for each in exams for step in modality.find_exam(each.id).steps}
            whole |= set(own)
            found, _ = modality.view.search(Search(Level.IMAGE, all_devices=True), limit=10_000)
    assert {each["SOPInstanceUID"] for each in found} == whole
    assert {name for each in found for name in each.devices} == {room.title for room in rooms}
    assert set(hospital.pacs.instances) == whole
    assert steps == {step.sop_instance_uid: step.status for step in hospital.ris.steps}


@contextmanager
def away(url: str) -> Iterator[None]:
    """A database that nobody can reach: its connections break, and it takes no new ones."""
    name = url.rpartition("/")[2]
    with psycopg.connect(url.replace("+psycopg", "").rpartition("/")[0] + "/postgres", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest.mark.timeout(180)
def test_images_are_kept_while_the_database_is_away_and_indexed_when_it_is_back(tmp_path: Path, url: str) -> None:
    with device_in_hospital(tmp_path, "mr", today()) as device:
        join(device.site, url, "A")
        with device.modality() as modality:
            exam = modality.start_exam(modality.worklist())
            series = exam.series("survey")
            made = [add_image(series, 1)]
            with away(url):
                made += [add_image(series, number) for number in (2, 3)]
                assert all(modality.instance_path(uid).exists() for uid in made)
                with pytest.raises(StoreError, match="database") as caught:
                    exam.complete()
                assert "stay on disk" in caught.value.advice
            made += [add_image(series, 4)]
            exam.complete()
            assert [each.SOPInstanceUID for each in exam.instances()] == made
            assert modality.wait_until_idle(60)
            assert {each.request.identity.sop_instance_uid for each in device.hospital.stored} == set(made)


def test_no_transaction_is_open_while_a_job_is_done(tmp_path: Path, url: str) -> None:
    opened = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE state LIKE 'idle in transaction%%' AND datname = current_database() AND xact_start < %s"
    )
    database = open_database(url)
    counts: list[int] = []

    class Looks:
        def run(self, job: Job, report: JobReport) -> JobOutcome:
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                [(begun,)] = connection.execute("SELECT clock_timestamp()").fetchall()
                wait_until(
                    lambda: connection.execute(opened, (begun,)).fetchone() == (0,),
                    timeout_s=20,
                    what="the end of what was open when the job began",
                )
            counts.append(0)
            return Done()

    queue = Queue(database)
    worker = Worker(queue, {JobKind.SEND: Looks()})
    worker.start()
    try:
        with database.write() as transaction:
            job = queue.enqueue(transaction, NewJob(JobKind.SEND, "PACS"))
        wait_until(lambda: get_state(database, job.id) is JobState.DONE, timeout_s=30, what="the job")
    finally:
        worker.stop()
        database.close()
    assert counts == [0]


def get_state(database: Database, job_id: int) -> JobState:
    with database.read() as snapshot:
        return get_job(snapshot, job_id).state


def test_a_job_of_another_process_is_told_of_at_once(url: str) -> None:
    waits, queues = open_database(url), open_database(url)
    with JobNotices(waits):
        seen = waits.jobs_changed.wait(0, 30)  # it listens
        other = Queue(queues)
        with queues.write() as transaction:
            other.enqueue(transaction, NewJob(JobKind.SEND, "PACS"))
        assert waits.jobs_changed.wait(seen, 30) > seen
        with away(url):
            pass
        assert waits.jobs_changed.wait(seen + 1, 60) > seen + 1  # it listens again, and says that something may be lost
    waits.close()
    queues.close()


def test_a_device_knows_no_job_and_no_exam_of_another(url: str) -> None:
    database = open_database(url)
    queue = Queue(database)
    with database.write() as transaction:
        job = queue.enqueue(transaction, NewJob(JobKind.SEND, "PACS", unique_key="a"))
    database.device_id = 2
    with database.write() as transaction:
        other = queue.enqueue(transaction, NewJob(JobKind.SEND, "PACS", unique_key="a"))
    assert other.id != job.id
    taken = queue.claim("second", list(JobKind))
    assert taken is not None
    assert taken.id == other.id
    assert queue.claim("second", list(JobKind)) is None
    with pytest.raises(NotFound):
        queue.cancel(job.id)
    database.device_id = 1
    first = queue.claim("first", list(JobKind))
    assert first is not None
    assert first.id == job.id
    database.close()


def test_who_works_a_queue_is_heard_of_by_the_other_rooms(tmp_path: Path, url: str) -> None:
    (tmp_path / "room").mkdir()
    room, other = open_database(url), open_database(url)
    room.device_id = find_device(room, tmp_path / "room", "OM_MR2")
    other.device_id = room.device_id + 1
    queue = Queue(room)
    with room.write() as transaction:
        queue.enqueue(transaction, NewJob(JobKind.SEND, "PACS"))
    left = []
    for _ in range(2):
        with other.read() as snapshot:
            left.append([each.device for each in list_left(snapshot, room.clock())])
        queue.keep_leases("its worker")
    assert left == [["OM_MR2"], []]
    with other.read() as snapshot:
        assert [each.jobs for each in list_left(snapshot, room.clock() + LEASE_S + 1)] == [1]
    for database in (room, other):
        database.close()


def test_processes_that_start_at_once_in_a_new_folder_are_one_device(tmp_path: Path, url: str) -> None:
    with ExitStack() as stack:
        databases = [stack.enter_context(closing(open_database(url))) for _ in range(2)]
        pool = stack.enter_context(ThreadPoolExecutor(2))
        for number in range(10):
            folder = tmp_path / f"data{number}"
            folder.mkdir()
            assert len(set(pool.map(find_device, databases, (folder, folder)))) == 1


def test_an_item_is_started_once_whatever_the_room(tmp_path: Path, url: str) -> None:
    with device_in_hospital(tmp_path / "a", "mr", today()) as device, ExitStack() as stack:
        other = write_site(tmp_path / "b", "mr", device.hospital_port, own_port=free_port())
        sites = {"A": device.site, "B": other}
        for name, site in sites.items():
            join(site, url, name)
        rooms = [stack.enter_context(Modality(site, works=False)) for site in sites.values()]
        for _ in range(3):
            started, refused = start_together(rooms, [room.worklist()[0] for room in rooms])
            [exam] = started
            [error] = refused
            assert "of device " in error.message
            assert error.advice in ("end it on A first", "end it on B first")
            exam.discontinue()


def start_together(rooms: list[Modality], items: list[WorklistItem]) -> tuple[list[Exam], list[WrongState]]:
    """Start an item in all rooms at once; the exams, and the errors of those who came later."""
    barrier, started, refused = threading.Barrier(len(rooms)), list[Exam](), list[WrongState]()

    def start(room: Modality, item: WorklistItem) -> None:
        barrier.wait(30)
        try:
            started.append(room.start_exam(item))
        except WrongState as error:
            refused.append(error)

    threads = [threading.Thread(target=start, args=each) for each in zip(rooms, items, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return started, refused
