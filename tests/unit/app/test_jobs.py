from __future__ import annotations

from pathlib import Path

import pytest

from openmodality.app.jobs import Jobs
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError, NotFound, UsageError
from openmodality.jobs.job import Job, NewJob
from openmodality.jobs.outcome import Done, Fail, Retry
from openmodality.jobs.queue import Queue
from openmodality.store.local import LocalStore
from openmodality.store.states import InstanceResult, JobKind, JobState


@pytest.fixture
def queue(store: LocalStore) -> Queue:
    return Queue(store.database)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    peers = [f'[peers.{name}]\nae_title = "{name}"\nhost = "127.0.0.1"\nport = 104' for name in ("NEW", "RIS")]
    path = tmp_path / "site.toml"
    path.write_text(f'profile = "mr"\n{peers[0]}\nservices = ["storage"]\n{peers[1]}\nservices = ["mpps"]\n', "utf-8")
    return load_site(path)


@pytest.fixture
def jobs(queue: Queue, site: Site) -> Jobs:
    return Jobs(queue, site)


def add(queue: Queue, *after: Job) -> Job:
    instances = [("1.2.840.10008.5.1.4.1.1.4", "1.1")]
    with queue.database.write() as transaction:
        new = NewJob(JobKind.SEND, "PACS", instances=instances, after=[job.id for job in after])
        return queue.enqueue(transaction, new)


def is_idle(jobs: Jobs) -> bool:
    return jobs.idle


def claim(queue: Queue) -> Job:
    job = queue.claim("device", list(JobKind))
    assert job is not None
    return job


def test_all_that_is_known_of_a_job_is_shown(queue: Queue, jobs: Jobs) -> None:
    first = add(queue)
    second = add(queue, first)
    details = jobs.show(second.id)
    assert (details.job, details.blockers) == (second, (first,))
    assert [each.SOPInstanceUID for each in details.instances] == ["1.1"]
    assert [each.state for each in details.history] == ["todo"]
    assert jobs.list() == [second, first]
    assert jobs.results([first])[first.id][InstanceResult.PENDING] == 1
    assert jobs.waits_for([first, second]) == {first.id: [], second.id: [first]}
    with pytest.raises(NotFound, match="no job 99"):
        jobs.show(99)


def test_a_queue_is_idle_when_nothing_is_left_but_what_a_failed_job_holds_up(queue: Queue, jobs: Jobs) -> None:
    assert is_idle(jobs)
    first = add(queue)
    add(queue, first)
    assert not is_idle(jobs)
    queue.finish(claim(queue).id, Fail("refused"))
    assert is_idle(jobs)
    assert jobs.retry(first.id).state is JobState.TODO
    assert not is_idle(jobs)
    for _ in range(2):
        queue.finish(claim(queue).id, Done())
    assert is_idle(jobs)


def test_a_cancelled_job_takes_those_after_it_along(queue: Queue, jobs: Jobs) -> None:
    first = add(queue)
    second = add(queue, first)
    assert jobs.cancel(first.id).state is JobState.CANCELLED
    assert jobs.show(second.id).job.state is JobState.CANCELLED


def test_a_job_goes_only_to_a_peer_that_offers_its_service(queue: Queue, jobs: Jobs) -> None:
    job = add(queue)
    with pytest.raises(ConfigurationError, match="no peer 'NOBODY'"):
        jobs.retry(job.id, "NOBODY")
    with pytest.raises(UsageError, match="peer RIS does not offer storage"):
        jobs.retry(job.id, "RIS")
    assert jobs.retry(job.id, "NEW").destination == "NEW"
    with queue.database.write() as transaction:
        disc = queue.enqueue(transaction, NewJob(JobKind.MEDIA, "/dev/sr0"))
    with pytest.raises(UsageError, match="a media job goes to no peer"):
        jobs.retry(disc.id, "NEW")


def test_a_peer_that_proves_to_be_there_gets_what_waits_for_it(queue: Queue, jobs: Jobs) -> None:
    job = add(queue)
    queue.finish(claim(queue).id, Retry("no answer", peer_away=True))
    jobs.wake_for("OTHER")
    assert jobs.show(job.id).job.reason == "no answer"
    jobs.wake_for("PACS")
    assert jobs.show(job.id).job.reason == "PACS is there again"
    assert claim(queue).id == job.id
