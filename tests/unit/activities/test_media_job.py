"""A media job without a device: what it makes, what a run that died has left, and how it says what it did."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from pydicom import dcmread

from openmodality.activities import media_job
from openmodality.activities.importing import Importer
from openmodality.activities.media_job import MediaExecutor, MediumOrder, make_media_job
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import UsageError
from openmodality.imaging.decompress import decompress_file
from openmodality.jobs.job import Job
from openmodality.jobs.listing import get_job
from openmodality.jobs.outcome import Continue, Done, Fail, JobOutcome
from openmodality.jobs.queue import Queue
from openmodality.jobs.report import JobReport
from openmodality.media.application_profile import ApplicationProfile
from openmodality.media.directory_reader import read_directory
from openmodality.media.file_set import WritingCancelled
from openmodality.store.local import LocalStore, open_store
from openmodality.store.states import InstanceResult, JobKind
from tests.peers import objects


class Bench:
    """A store with images, a queue, and an executor that is called by hand."""

    def __init__(self, site: Site, store: LocalStore, folder: Path) -> None:
        self.site, self.store, self.target = site, store, folder / "disc"
        self.queue = Queue(store.database)
        self.executor = MediaExecutor(store.files, site, decompress_file)
        self.stopping = threading.Event()
        self.instances: list[tuple[str, str]] = []
        self.add(objects.mr_series(folder / "source", 2, rows=64, columns=64))
        self.uids = [uid for _, uid in self.instances]

    def add(self, paths: Sequence[Path]) -> None:
        importer = Importer(self.store, ("1.2.3", "TEST"))
        for path in paths:
            importer.import_file(path)
            head = dcmread(path, stop_before_pixels=True)
            self.instances.append((str(head.SOPClassUID), str(head.SOPInstanceUID)))

    def order(self, **values: object) -> MediumOrder:
        return MediumOrder(**({"act": "create", "target": str(self.target), "profile": "usb"} | values))  # type: ignore[arg-type]

    def claim(self, order: MediumOrder, uids: list[str] | None = None) -> Job:
        chosen = [each for each in self.instances if uids is None or each[1] in uids]
        with self.store.write() as transaction:
            self.queue.enqueue(transaction, make_media_job(order, chosen))
        job = self.queue.claim("test", [JobKind.MEDIA])
        assert job is not None
        return job

    def run(self, job: Job) -> JobOutcome:
        report = JobReport(self.queue, job, self.stopping)
        outcome = self.executor.run(job, report)
        report.keep()
        self.queue.finish(job.id, outcome)
        return outcome

    def results(self, job: Job) -> list[tuple[InstanceResult, str]]:
        return [(each.result, each.comment) for each in self.queue.instances(job.id)]


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[Bench]:
    (tmp_path / "site.toml").write_text('profile = "mr"\n[device]\ninstitution_name = "Hospital"\n', encoding="utf-8")
    site = load_site(tmp_path)
    with open_store(site.data_folder, url=database_url, durability="os") as store:
        yield Bench(site, store, tmp_path)


def list_written(folder: Path) -> set[str]:
    patients = read_directory(folder / "DICOMDIR").patients
    return {record.sop_instance_uid for patient in patients for record in patient.walk() if record.file_id}


def test_a_disc_with_its_pages_and_nothing_beside_it(bench: Bench) -> None:
    job = bench.claim(bench.order())
    left = [bench.target.with_name(f".disc.job{job.id}{end}") for end in ("", "-2")]
    for each in left:
        each.mkdir()
        (each / "half").touch()
    assert bench.run(job) == Done("")
    assert list_written(bench.target) == set(bench.uids)
    assert bench.results(job) == [(InstanceResult.SUCCESS, "")] * 2
    assert [each for each in left if each.exists()] == []
    page = (bench.target / "INDEX.HTM").read_text(encoding="utf-8")
    assert f"on {datetime.now():%Y-%m-%d}." in page or f"{datetime.now():%Y-%m-%d}<" in page
    assert "Hospital" in page


def test_a_job_that_is_stopped_leaves_nothing(bench: Bench) -> None:
    job = bench.claim(bench.order())
    bench.stopping.set()
    assert isinstance(bench.run(job), Continue)
    assert not bench.target.exists()
    assert bench.results(job) == [(InstanceResult.PENDING, "")] * 2


def test_a_disc_that_a_run_before_has_written_is_finished(bench: Bench) -> None:
    """It died after the DICOMDIR: the pages are missing, and nobody knows what became of the instances."""
    assert isinstance(bench.run(bench.claim(bench.order(pages=False))), Done)
    assert not (bench.target / "INDEX.HTM").exists()
    before = (bench.target / "DICOMDIR").read_bytes()
    job = bench.claim(bench.order())
    assert bench.run(job) == Done("")
    assert (bench.target / "DICOMDIR").read_bytes() == before
    assert (bench.target / "INDEX.HTM").exists()
    assert bench.results(job) == [(InstanceResult.SUCCESS, "it was on the medium already")] * 2


def test_a_medium_is_added_to_and_not_twice(bench: Bench) -> None:
    first, second = ([uid] for uid in bench.uids)
    assert isinstance(bench.run(bench.claim(bench.order(), first)), Done)
    update = bench.order(act="update")
    assert isinstance(bench.run(bench.claim(update, second)), Done)
    assert list_written(bench.target) == set(bench.uids)
    again = bench.claim(update, second)
    assert isinstance(bench.run(again), Done)
    assert bench.results(again) == [(InstanceResult.SUCCESS, "it was on the medium already")]


def test_a_target_with_other_things_keeps_them(bench: Bench) -> None:
    bench.target.mkdir()
    (bench.target / "other.txt").touch()
    assert isinstance(bench.run(bench.claim(bench.order())), Done)
    assert (bench.target / "other.txt").exists()
    assert list_written(bench.target) == set(bench.uids)


def test_a_split_replaces_the_discs_of_its_own_job_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.add(objects.mr_series(bench.target.parent / "more", 1, rows=64, columns=64))
    small = ApplicationProfile("SMALL", (1 << 20) + 25_000)
    monkeypatch.setattr(media_job, "choose_media_profile", lambda site, name: small)
    discs = [bench.target.with_name(f"disc-{number}") for number in (1, 2)]
    discs[1].mkdir()
    (discs[1] / "DICOMDIR").write_bytes(b"of others")
    order = bench.order(split=True, pages=False)
    refused = bench.run(bench.claim(order))
    assert refused == Fail(f"{discs[1]} is there already; remove it, or name another folder")
    assert sorted(path.name for path in discs[0].parent.glob("*disc*")) == ["disc-2"]
    (discs[1] / "DICOMDIR").unlink()
    discs[1].rmdir()
    job = bench.claim(order)
    assert bench.run(job) == Done("2 discs")
    with bench.store.read() as snapshot:
        named = get_job(snapshot, job.id).parameters["named"]
    assert named == list(map(str, discs))
    assert bench.run(bench.claim(bench.order(split=True, pages=False, named=named))) == Done("2 discs")


def test_a_job_that_is_stopped_at_its_image_leaves_the_disc(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pycdlib")
    image = bench.target.with_name("disc.iso")
    looks: list[bool] = []

    def check_goes_on(report: JobReport) -> None:
        looks.append(report.stop_requested)
        if len(looks) == 3:  # the first is before the image, the next ones are while it is planned
            raise WritingCancelled("enough")

    monkeypatch.setattr(media_job, "_check_goes_on", check_goes_on)
    job = bench.claim(bench.order(image=str(image)))
    assert isinstance(bench.run(job), Continue)
    assert list_written(bench.target) == set(bench.uids)
    assert [path.name for path in image.parent.glob("*.iso*")] == []


def test_an_image_of_the_disc(bench: Bench, tmp_path: Path) -> None:
    pytest.importorskip("pycdlib")
    assert isinstance(bench.run(bench.claim(bench.order(image=str(tmp_path / "disc.iso")))), Done)
    assert (tmp_path / "disc.iso").stat().st_size > 0


def test_what_cannot_be_made_fails_with_the_reason(bench: Bench) -> None:
    assert isinstance(bench.run(bench.claim(bench.order(profile="no such"))), Fail)
    with pytest.raises(UsageError, match="burnt from an image"):
        make_media_job(bench.order(device="/dev/sr0"), bench.instances)


def test_nothing_pending_is_done(bench: Bench) -> None:
    job = bench.claim(bench.order())
    assert isinstance(bench.run(job), Done)
    stamp = (bench.target / "DICOMDIR").stat().st_mtime_ns
    assert bench.executor.run(job, JobReport(bench.queue, job, bench.stopping)) == Done("")
    assert (bench.target / "DICOMDIR").stat().st_mtime_ns == stamp
