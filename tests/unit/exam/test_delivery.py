"""What an exam made goes to every archive, once."""

from __future__ import annotations

from collections.abc import Callable

from openmodality.device.site.site import Site
from openmodality.exam.delivery import Delivery
from openmodality.exam.session import Exam
from openmodality.jobs.job import Job
from openmodality.jobs.listing import list_jobs, read_instances
from openmodality.jobs.queue import Queue
from openmodality.store.local import LocalStore
from openmodality.store.states import JobKind
from tests.devices import add_image

BeginExam = Callable[..., Exam]


def jobs_of(store: LocalStore, *kinds: JobKind) -> list[Job]:
    with store.read() as snapshot:
        return list_jobs(snapshot, kinds=kinds)


def uids_of(store: LocalStore, job: Job) -> list[str]:
    with store.read() as snapshot:
        return [each.SOPInstanceUID for each in read_instances(snapshot, job.id)]


def test_each_archive_gets_each_instance_once(begin_exam: BeginExam, store: LocalStore) -> None:
    exam = begin_exam()
    series = exam.series("T1")
    first = add_image(series, 1)
    exam.deliver()
    exam.deliver()
    second = add_image(series, 2)
    exam.deliver()
    sent = [(job.destination, uids_of(store, job)) for job in jobs_of(store, JobKind.SEND)]
    assert sorted(sent) == sorted((peer, [uid]) for peer in ("hospital", "archive") for uid in (first, second))


def test_commitment_comes_after_the_images_where_the_archive_is_configured_so(
    begin_exam: BeginExam, store: LocalStore
) -> None:
    exam = begin_exam()
    uid = add_image(exam.series("T1"))
    exam.deliver()
    (commit,) = jobs_of(store, JobKind.COMMIT)
    assert (commit.destination, uids_of(store, commit)) == ("archive", [uid])


def test_nothing_to_deliver_queues_nothing(begin_exam: BeginExam, store: LocalStore) -> None:
    begin_exam().deliver()
    assert jobs_of(store, JobKind.SEND, JobKind.COMMIT) == []


def test_commitment_is_asked_of_a_peer_that_has_the_service(site: Site, store: LocalStore) -> None:
    delivery = Delivery(site, Queue(store.database))
    assert [delivery.may_commit(site.peer(name)) for name in ("hospital", "archive")] == [False, True]
