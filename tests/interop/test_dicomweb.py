"""DICOMweb with programs of others: dicomweb-client reads from this device, Orthanc's plug-in does and is sent to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset, dcmread
from requests import Session

from openmodality import Modality
from openmodality.device.site.site_loader import load_site
from openmodality.store.states import InstanceResult, JobState
from tests.console_site import ConsolePlace, console_in_hospital
from tests.peers import orthanc
from tests.peers.objects import mr_series
from tests.peers.process import wait_until

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
COUNT = 4


@dataclass(frozen=True, slots=True)
class Served:
    """A device that serves a study over DICOMweb, with a token for it."""

    place: ConsolePlace
    token: str
    study: str
    series: str

    @property
    def url(self) -> str:
        """Where the service is."""
        return f"{self.place.url}/dicom-web"

    def read(self, uid: str) -> Dataset:
        """An instance as this device has it."""
        return dcmread(self.place.modality.instance_path(uid))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    with console_in_hospital(folder) as place:
        files = mr_series(folder / "files", COUNT, rows=32, columns=24, PatientID="WEB-1")
        place.modality.import_files(files)
        head = dcmread(files[0])
        token = place.accounts.add_token("peer", ["view"])
        yield Served(place, token, str(head.StudyInstanceUID), str(head.SeriesInstanceUID))


@pytest.fixture
def client(served: Served) -> DICOMwebClient:
    session = Session()
    session.headers["Authorization"] = f"Bearer {served.token}"
    return DICOMwebClient(served.url, session=session)


def test_dicomweb_client_searches(served: Served, client: DICOMwebClient) -> None:
    (study,) = client.search_for_studies(search_filters={"PatientID": "WEB-*"}, fields=["StudyDescription"])
    assert Dataset.from_json(study).StudyInstanceUID == served.study
    assert client.search_for_studies(search_filters={"PatientID": "NOBODY"}) == []
    (series,) = client.search_for_series(served.study)
    assert Dataset.from_json(series).NumberOfSeriesRelatedInstances == COUNT
    found = client.search_for_instances(served.study, served.series, limit=2, offset=1)
    assert len(found) == 2
    everything = client.search_for_instances(get_remaining=True, limit=1)
    assert len(everything) == COUNT


def test_dicomweb_client_retrieves_what_is_stored(served: Served, client: DICOMwebClient) -> None:
    described = client.retrieve_series_metadata(served.study, served.series)
    metadata = [Dataset.from_json(each, bulk_data_uri_handler=lambda uri: b"") for each in described]
    instances = client.retrieve_series(served.study, served.series)
    assert [each.SOPInstanceUID for each in instances] == [each.SOPInstanceUID for each in metadata]
    assert len(instances) == COUNT
    for instance in instances:
        assert instance.to_json() == served.read(instance.SOPInstanceUID).to_json()
    uid = str(instances[0].SOPInstanceUID)
    (frame,) = client.retrieve_instance_frames(served.study, served.series, uid, [1])
    assert np.array_equal(np.frombuffer(frame, "<u2").reshape(32, 24), instances[0].pixel_array)
    whole = client.retrieve_instance(served.study, served.series, uid, media_types=(("application/dicom", "*"),))
    assert whole.SOPInstanceUID == uid
    uri = client.retrieve_instance_metadata(served.study, served.series, uid)["7FE00010"]["BulkDataURI"]
    (pixels,) = client.retrieve_bulkdata(uri)
    assert pixels == instances[0].PixelData
    picture = client.retrieve_instance_rendered(served.study, served.series, uid, media_types=("image/png",))
    assert picture.startswith(b"\x89PNG")


def _needs_plugin() -> None:
    if PLUGIN.exists():
        return
    reason = "missing peer: Orthanc's DICOMweb (Debian package orthanc-dicomweb)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _has_run(modality: Modality, job_id: int) -> bool:
    """Whether a job has ended, or has failed once."""
    job = modality.jobs.show(job_id).job
    return job.state.finished or job.attempts > 0


@pytest.mark.needs("Orthanc")
def test_orthanc_takes_what_is_sent_and_fetches_it_as_well(served: Served, tmp_path: Path) -> None:
    _needs_plugin()
    server = {"Url": f"{served.url}/", "HttpHeaders": {"Authorization": f"Bearer {served.token}"}}
    settings = {
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "Servers": {"device": server}},
    }
    with orthanc.orthanc(tmp_path / "peer", settings=settings) as pacs:
        site = served.place.site
        text = site.read_text(encoding="utf-8")
        peer = f'\n[peers.cloud]\nurl = "{str(pacs.rest.base_url).rstrip("/")}/dicom-web"\nservices = ["storage"]\n'
        (tmp_path / "site").mkdir()
        other = tmp_path / "site" / "site.toml"
        other.write_text(text + peer, encoding="utf-8")
        with Modality(load_site(other)) as modality:
            modality.import_files(mr_series(tmp_path / "more", COUNT, PatientID="WEB-2"))
            (study,) = modality.studies(PatientID="WEB-2")
            assert modality.verify("cloud").said == "answered 200 OK to a search (QIDO-RS)"
            (job,) = modality.send(study["StudyInstanceUID"], "cloud")
            assert modality.wait_until(lambda: _has_run(modality, job.id), 60)
            details = modality.jobs.show(job.id)
            assert details.job.state is JobState.DONE, details.job.reason
            assert {each.result for each in details.instances} == {InstanceResult.SUCCESS}
            assert pacs.instances() == sorted(each.SOPInstanceUID for each in details.instances)
        body = {"Resources": [{"Study": served.study}]}
        answer = pacs.rest.post("/dicom-web/servers/device/retrieve", json=body, timeout=60)
        assert answer.status_code == 200, answer.text
        wait_until(lambda: len(pacs.instances()) == 2 * COUNT, timeout_s=30)
        found = pacs.rest.post("/dicom-web/servers/device/qido", json={"Uri": "/studies"}, timeout=30)
        assert found.status_code == 200
