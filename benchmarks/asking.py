"""Queries and retrieves of one client, ours, before a device and before Orthanc.

The client of a query counts the matches in the bytes that come, and decodes none: what is measured is who answers.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from struct import Struct
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final, NamedTuple
from zipfile import ZipFile

import httpx
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from benchmarks.archives import configure_orthanc
from benchmarks.data import cache
from benchmarks.device import prepare
from benchmarks.ends import OURS, call_ours, count_ticks, listening, running
from benchmarks.sites import UNUSED_PORT, describe_device, describe_peer, save_site
from openmodality.dimse.channel import context_for
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.request_response import send_request
from openmodality.dimse.status import is_pending
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.query.moving import move
from openmodality.standard.dimse import CommandField, Priority
from openmodality.standard.sop_classes import STUDY_ROOT_FIND, STUDY_ROOT_MOVE
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.database import open_database
from openmodality.upper_layer.negotiation import ContextProposal
from tests.made_index import fill_index, make_patient_id, make_patient_name, make_study_date
from tests.peers.process import free_port
from tests.peers.programs import program

_HEADERS: Final = Struct(">BxLLBB")
_COMMAND: Final = 0x01
_STATUS_ELEMENT: Final = bytes((0x00, 0x00, 0x00, 0x09, 0x02, 0x00, 0x00, 0x00))
_STATUS: Final = Struct("<H")
_RECEIVED_BYTES: Final = 1 << 16
_KEYS: Final = ("PatientName", "PatientID", "StudyTime", "AccessionNumber", "StudyDescription", "StudyInstanceUID")
_OF_TEN: Final = 10
"""One study of ten matches."""
_FILES_AT_ONCE: Final = 1000


class Server(NamedTuple):
    """Who answers, and the number of its process."""

    remote: RemoteAE
    pid: int

    def read_cpu_s(self) -> float:
        """The CPU seconds that it has used."""
        return count_ticks(self.pid) / os.sysconf("SC_CLK_TCK")


def _write_site(folder: Path, port: int, destination: int = UNUSED_PORT) -> None:
    """A device that BENCH may ask, and that sends to it."""
    bench = describe_peer("bench", "BENCH", destination, services=["storage"], incoming=["query_retrieve"])
    save_site(folder, describe_device(port=port), bench)


@contextmanager
def device_with_index(studies: int) -> Iterator[Server]:
    """A device that serves an index of so many studies, of one image in each of two series."""
    with TemporaryDirectory(dir=cache()) as name:
        folder, port = Path(name), free_port()
        _write_site(folder, port)
        subprocess.run(call_ours("studies", "list"), cwd=folder, check=True, capture_output=True)
        (folder / "data").mkdir(exist_ok=True)
        with running(call_ours("serve"), port, cwd=folder) as pid:
            database = open_database(f"sqlite:///{folder / 'data' / 'openmodality.db'}", durability="os")
            fill_index(database, studies, 1)
            database.close()
            yield Server(RemoteAE("OM_MR", "127.0.0.1", port), pid)


@contextmanager
def orthanc_with_index(studies: int) -> Iterator[Server]:
    """An Orthanc that has so many studies with the same attributes; its data are made once."""
    folder, port, http_port = cache() / f"orthanc-names-{studies}", free_port(), free_port()
    with running((str(program("Orthanc")), str(configure_orthanc(folder, port, http_port))), port) as pid:
        with httpx.Client(base_url=f"http://127.0.0.1:{http_port}", timeout=600, trust_env=False) as rest:
            known = int(rest.get("/statistics").json()["CountStudies"])
            for start in range(known, studies, _FILES_AT_ONCE):
                archive = _make_archive(range(start, min(start + _FILES_AT_ONCE, studies)))
                rest.post("/instances", content=archive).raise_for_status()
        yield Server(RemoteAE("ORTHANC", "127.0.0.1", port), pid)


def _make_archive(numbers: range) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w") as archive:
        for number in numbers:
            archive.writestr(f"{number}.dcm", _make_file(number))
    return file.getvalue()


def _make_file(number: int) -> bytes:
    """An object with the attributes that the made index has, and no pixels."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = SecondaryCaptureImageStorage, f"1.2.3.{number}.1.1"
    made.StudyInstanceUID, made.SeriesInstanceUID = f"1.2.3.{number}", f"1.2.3.{number}.1"
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientID, made.PatientName, made.PatientSex = make_patient_id(number), make_patient_name(number), "F"
    made.StudyDate, made.StudyTime = make_study_date(number), f"{number % 24:02d}1500"
    made.AccessionNumber, made.StudyDescription, made.Modality = f"A{number}", "Brain", "MR"
    file = BytesIO()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


def time_find(server: Server, studies: int) -> tuple[float, float]:
    """The seconds that a query for a tenth of the studies takes, from request to final response; CPU of the server."""
    remote = server.remote
    asked = Dataset()
    asked.QueryRetrieveLevel = "STUDY"
    for keyword in _KEYS:
        setattr(asked, keyword, "")
    asked.StudyDate = f"{make_study_date(0)}-{make_study_date(studies // _OF_TEN - 1)}"
    proposal = ContextProposal(STUDY_ROOT_FIND, (IMPLICIT_VR_LITTLE_ENDIAN,))
    command = Command(
        CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=STUDY_ROOT_FIND, Priority=Priority.MEDIUM
    )
    with associate(remote, LocalAE("BENCH"), [proposal]) as association:
        context = context_for(association, STUDY_ROOT_FIND)
        used, begun = server.read_cpu_s(), perf_counter()
        data = encode_data_set(asked, context.transfer_syntax)
        send_request(association, context.context_id, command, data)
        count = _count_matches(association._link.transport._sock)
        seconds, used = perf_counter() - begun, server.read_cpu_s() - used
    if count != studies // _OF_TEN:
        raise RuntimeError(f"{remote.ae_title}: {count} matches")
    return seconds, used


def _count_matches(sock: socket.socket) -> int:
    """Read the responses to a C-FIND up to the final one; how many were pending."""
    pending, received = 0, bytearray()
    while True:
        received += sock.recv(_RECEIVED_BYTES)
        begin = 0
        while len(received) - begin >= _HEADERS.size:
            _, pdu_length, _, _, control = _HEADERS.unpack_from(received, begin)
            end = begin + 6 + pdu_length
            if end > len(received):
                break
            if control & _COMMAND:
                (status,) = _STATUS.unpack_from(received, received.index(_STATUS_ELEMENT, begin) + len(_STATUS_ELEMENT))
                if not is_pending(status):
                    return pending
                pending += 1
            begin = end
        del received[:begin]


def time_move(images: Path) -> float:
    """The seconds in which a device sends its images to ``openmodality receive``, from request to final response."""
    with TemporaryDirectory(dir=cache()) as name, listening(OURS) as (destination, received):
        folder, port = Path(name), free_port()
        prepare(folder, images)
        _write_site(folder, port, destination)
        asked = Dataset()
        asked.QueryRetrieveLevel, asked.StudyInstanceUID = "STUDY", dcmread(min(images.iterdir())).StudyInstanceUID
        with (
            running(call_ours("serve"), port, cwd=folder),
            associate(
                RemoteAE("OM_MR", "127.0.0.1", port),
                LocalAE("BENCH"),
                [ContextProposal(STUDY_ROOT_MOVE, (IMPLICIT_VR_LITTLE_ENDIAN,))],
            ) as association,
        ):
            begun = perf_counter()
            result = move(association, STUDY_ROOT_MOVE, asked, "BENCH")
            seconds = perf_counter() - begun
        arrived = sum(1 for _ in received.rglob("*.dcm"))
        if not result.verdict.is_done or arrived != sum(1 for _ in images.iterdir()):
            sys.exit(f"C-MOVE: status {result.status:04X}, {arrived} arrived")
    return seconds
