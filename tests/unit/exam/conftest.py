"""A workflow with a store and a queue, and no device around it: nothing listens, sends or works."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.exam.producers.producer import Producer
from openmodality.exam.producers.registry import make_producers
from openmodality.exam.session import Exam
from openmodality.exam.workflow import Workflow
from openmodality.jobs.queue import Queue
from openmodality.store.local import LocalStore, open_store

SITE = """
profile = "mr"
[peers.hospital]
ae_title = "HOSPITAL"
host = "localhost"
port = 104
services = ["mpps", "storage"]
[peers.archive]
ae_title = "ARCHIVE"
host = "localhost"
port = 105
services = ["storage", "storage_commitment"]
automatic_commitment = true
"""

MakeWorkflow = Callable[..., Workflow]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    return load_site(tmp_path)


@pytest.fixture
def store(site: Site, database_url: str) -> Iterator[LocalStore]:
    with open_store(site.data_folder, url=database_url, durability="os") as store:
        yield store


@pytest.fixture
def make_workflow(site: Site, store: LocalStore) -> MakeWorkflow:
    def make(producers: Sequence[Producer] | None = None) -> Workflow:
        chosen = make_producers(site) if producers is None else producers
        return Workflow(site, store, Queue(store.database), chosen)

    return make


@pytest.fixture
def begin_exam(make_workflow: MakeWorkflow) -> Callable[..., Exam]:
    """Begins an exam of a patient who is registered by hand, with what is known of him by keyword."""

    def begin(producers: Sequence[Producer] | None = None, **patient: str) -> Exam:
        workflow = make_workflow(producers)
        user = Dataset()
        for keyword, value in {"PatientID": "1", **patient}.items():
            setattr(user, keyword, value)
        return Exam(workflow, workflow.register([], user).id).begin()

    return begin
