"""Enhanced images to the peers that accept them, the classic series of the same frames to the others, never both.

The device runs before storescp of DCMTK, which accepts MR Image Storage alone or every class, and before Orthanc.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality import Modality
from openmodality.errors import UsageError
from openmodality.exam.session import Exam
from openmodality.jobs.job import Job
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE, MR_IMAGE_STORAGE
from openmodality.store.states import JobKind, JobState
from tests.devices import MR_SITE
from tests.peers.dcmtk import storescp
from tests.peers.orthanc import orthanc
from tests.peers.process import Server, free_port

PATIENT = {"PatientID": "1", "PatientName": "Doe^Jane", "PatientBirthDate": "19700101"}
AFFINE = np.array([[2.0, 0, 0, -30], [0, 2.0, 0, -40], [0, 0, 4.0, 10], [0, 0, 0, 1]])
VALUES = np.arange(3 * 16 * 12, dtype=np.uint16).reshape(3, 16, 12)
ONLY_MR = """
[[TransferSyntaxes]]
[Uncompressed]
TransferSyntax1 = LocalEndianExplicit
TransferSyntax2 = LittleEndianImplicit
[[PresentationContexts]]
[OnlyMR]
PresentationContext1 = VerificationSOPClass\\Uncompressed
PresentationContext2 = MRImageStorage\\Uncompressed
[[Profiles]]
[OnlyMR]
PresentationContexts = OnlyMR
"""
PEER = """
[peers.{name}]
ae_title = "{title}"
host = "127.0.0.1"
port = {port}
services = ["storage"]
enhanced_or_classic = {chooses}
"""


@dataclass(frozen=True, slots=True)
class Department:
    """A device and the folders in which its archives keep what they get."""

    site: Path
    folders: dict[str, Path]

    def read(self, name: str) -> list[Dataset]:
        """What an archive has."""
        return [dcmread(file) for file in sorted(self.folders[name].rglob("*")) if file.is_file()]

    def list_classes(self, name: str) -> list[str]:
        return [str(each.SOPClassUID) for each in self.read(name)]


@contextmanager
def department(folder: Path, **chooses: bool) -> Iterator[Department]:
    """A device with an archive for each name; those whose names begin with ``old`` accept MR Image Storage alone."""
    configuration = folder / "storescp.cfg"
    configuration.write_text(ONLY_MR, encoding="ascii")
    text, folders = MR_SITE.format(port=free_port()), {}
    with ExitStack() as stack:
        for name, value in chooses.items():
            folders[name] = folder / name
            options: list[str | Path] = ["--config-file", configuration, "OnlyMR"] if name.startswith("old") else []
            server = stack.enter_context(storescp(folders[name], *options, aet=name.upper()))
            text += describe_peer(name, server, chooses=value)
        site = folder / "site.toml"
        site.write_text(text, encoding="utf-8")
        yield Department(site, folders)


def describe_peer(name: str, server: Server, *, chooses: bool) -> str:
    return PEER.format(name=name, title=server.aet, port=server.port, chooses=str(chooses).lower())


def make_enhanced(exam: Exam, description: str = "dwi") -> list[str]:
    series = exam.series(description, sop_class_uid=ENHANCED_MR_IMAGE_STORAGE, RepetitionTime=500, EchoTime=20)
    return series.add_volume(VALUES, AFFINE, space="LPS", axes="kji")


def list_sends(modality: Modality, peer: str) -> list[Job]:
    return [each for each in modality.jobs.list(kinds=[JobKind.SEND]) if each.destination == peer]


@pytest.mark.requirement("MR-3.2.3.1-03")
@pytest.mark.needs("storescp")
def test_each_peer_gets_one_form_and_without_the_setting_nothing_else(tmp_path: Path) -> None:
    with department(tmp_path, old=True, new=True, old_strict=False) as place:
        with Modality(place.site) as modality:
            exam = modality.register(PATIENT)
            make_enhanced(exam)
            exam.complete()
            assert modality.wait_until_idle(30)
            made = {each.SOPInstanceUID: each.SOPClassUID for each in exam.instances()}
            assert sorted(made.values()) == [MR_IMAGE_STORAGE] * 3 + [ENHANCED_MR_IMAGE_STORAGE]
            [old], [strict] = list_sends(modality, "old"), list_sends(modality, "old_strict")
            assert (old.state, strict.state) == (JobState.DONE, JobState.FAILED)
            assert old.reason == (
                "the classic series of 3 images instead of 1 Enhanced MR Image: old does not accept them"
            )
            assert f"{ENHANCED_MR_IMAGE_STORAGE} abstract-syntax-not-supported" in strict.reason
            exam.deliver()
            assert {len(list_sends(modality, peer)) for peer in place.folders} == {1}
        assert place.list_classes("old") == [MR_IMAGE_STORAGE] * 3
        assert place.list_classes("new") == [ENHANCED_MR_IMAGE_STORAGE]
        assert place.list_classes("old_strict") == []
        assert {each.SOPInstanceUID for name in place.folders for each in place.read(name)} == made.keys()
        volume = np.stack([each.pixel_array for each in sorted(place.read("old"), key=lambda one: one.InstanceNumber)])
        assert (volume == place.read("new")[0].pixel_array).all()


@pytest.mark.needs("storescp")
def test_a_study_goes_to_a_peer_in_the_form_in_which_it_began(tmp_path: Path) -> None:
    with department(tmp_path, old=True) as place:
        with Modality(place.site) as modality:
            exam = modality.register(PATIENT)
            make_enhanced(exam)
            exam.deliver()
            assert modality.wait_until_idle(30)
            study = exam.study_instance_uid
            with pytest.raises(UsageError, match="old has the classic series"):
                modality.send(peer="old", series=exam.record.series[0].series_instance_uid)
        text = place.site.read_text(encoding="utf-8")
        with storescp(tmp_path / "now", aet="OLD") as willing:  # the archive accepts everything from now on
            place.site.write_text(
                "\n".join(f"port = {willing.port}" if line == f"port = {_port_of(text)}" else line
                          for line in text.splitlines()),
                encoding="utf-8",
            )  # fmt: skip
            with Modality(place.site) as modality:
                exam = modality.find_exam(exam.id)
                make_enhanced(exam, "second")
                exam.complete()
                assert modality.wait_until_idle(30)
                *_, last = sorted(list_sends(modality, "old"), key=lambda job: job.id)
                assert last.state is JobState.DONE
                assert last.reason.endswith("instead of 1 Enhanced MR Image: old has the classic series of this study")
            received = [dcmread(file) for file in (tmp_path / "now").iterdir()]
            assert {each.SOPClassUID for each in received} == {MR_IMAGE_STORAGE}
            assert {each.StudyInstanceUID for each in received} == {study}


def _port_of(text: str) -> str:
    return text.split("[peers.old]")[1].split("port = ")[1].split("\n")[0]


@pytest.mark.needs("Orthanc")
def test_orthanc_gets_enhanced_images_alone_and_renders_them(tmp_path: Path) -> None:
    with orthanc(tmp_path / "orthanc") as archive:
        site = tmp_path / "site.toml"
        site.write_text(
            MR_SITE.format(port=free_port()) + describe_peer("pacs", archive, chooses=True), encoding="utf-8"
        )
        with Modality(site) as modality:
            exam = modality.register(PATIENT)
            [uid] = make_enhanced(exam)
            exam.complete()
            assert modality.wait_until_idle(30)
        assert archive.instances() == [uid]
        [found] = archive.rest.get("/instances").json()
        for frame in range(3):
            picture = archive.rest.get(f"/instances/{found}/frames/{frame}/preview")
            assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
