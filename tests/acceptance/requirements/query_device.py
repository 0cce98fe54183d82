"""An MR device with a few images, before pynetdicom and others that query it and retrieve from it."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileDataset
from pynetdicom import evt
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    MRImageStorage,
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
)

from openmodality import Modality
from tests.interop.sites import PeerTable, write_site
from tests.peers.objects import mr_image, save
from tests.peers.process import Address
from tests.peers.pynetdicom_ae import associated, serving

FIND = {
    "PATIENT": PatientRootQueryRetrieveInformationModelFind,
    "STUDY": StudyRootQueryRetrieveInformationModelFind,
}
MOVE = {
    "PATIENT": PatientRootQueryRetrieveInformationModelMove,
    "STUDY": StudyRootQueryRetrieveInformationModelMove,
}
INCOMING = ["verification", "storage", "query_retrieve"]
LEVELS = [
    (model, level)
    for model in ("PATIENT", "STUDY")
    for level in ("PATIENT", "STUDY", "SERIES", "IMAGE")
    if (model, level) != ("STUDY", "PATIENT")
]
UNIQUE = {
    "PATIENT": "PatientID", "STUDY": "StudyInstanceUID", "SERIES": "SeriesInstanceUID", "IMAGE": "SOPInstanceUID",
}  # fmt: skip
_TABLE = Path(__file__).parents[2] / "data" / "spec" / "mr" / "query_keys.csv"


def list_keys(model: str, level: str) -> list[str]:
    """The keys of the statement for one level of a model, as SCP."""
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["direction"] == "SCP"]
    return [row["keyword"] for row in rows if (row["model"], row["level"]) == (model, level)]


def make_images() -> list[FileDataset]:
    """Four patients, five studies: the first has two series, of two and of one image."""
    yamada = {
        "PatientID": "P1", "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう", "SpecificCharacterSet": "ISO_IR 192",
        "PatientBirthDate": "19500101",
    }  # fmt: skip
    first = yamada | {
        "StudyInstanceUID": "1.2.1", "StudyDate": "20260101", "StudyTime": "101500", "StudyID": "S1",
        "AccessionNumber": "A1", "ReferringPhysicianName": "Refer^Rita", "StudyDescription": "Head",
    }  # fmt: skip
    thick = {"SeriesInstanceUID": "1.2.1.1", "SeriesNumber": 1, "MRAcquisitionType": "2D", "ScanningSequence": "SE",
             "SequenceName": "T1", "ContrastBolusAgent": "Gd"}  # fmt: skip
    thin = {"SeriesInstanceUID": "1.2.1.2", "SeriesNumber": 2, "MRAcquisitionType": "3D",
            "ScanningSequence": ["GR", "IR"], "SequenceName": "MPR", "ContrastBolusAgent": "none"}  # fmt: skip
    other = {
        "2": {
            "PatientID": "P1",
            "PatientName": "Yamada^Tarou",
            "PatientBirthDate": "19500101",
            "StudyDate": "20260301",
        },
        "3": {"PatientID": "P2", "PatientName": "Müller^Jörg", "StudyDate": "20260302", "StudyTime": "235959"},
        "4": {"PatientID": "4711", "PatientName": "Delta^Dan", "PatientBirthDate": "19610101"},
        "5": {"PatientID": "4711", "PatientName": "Epsilon^Eve", "PatientBirthDate": "19710101"},
    }
    images: list[dict[str, Any]] = [
        {**first, **thick, "SOPInstanceUID": "1.2.1.1.1", "InstanceNumber": 1},
        {**first, **thick, "SOPInstanceUID": "1.2.1.1.2", "InstanceNumber": 2},
        {**first, **thin, "SOPInstanceUID": "1.2.1.2.1", "InstanceNumber": 1},
        *(
            {
                "StudyInstanceUID": f"1.2.{number}", "SeriesInstanceUID": f"1.2.{number}.1",
                "SOPInstanceUID": f"1.2.{number}.1.1", "InstanceNumber": 1, "AccessionNumber": f"A{number}",
                "StudyID": f"S{number}", "ReferringPhysicianName": "Other^Otto", **values,
            }
            for number, values in other.items()
        ),
    ]  # fmt: skip
    images[0] |= _make_further()
    return [mr_image(rows=8, columns=8, **values) for values in images]


def _make_further() -> dict[str, Any]:
    """What no index keeps, sequences among it."""
    request, protocol, code, other = Dataset(), Dataset(), Dataset(), Dataset()
    protocol.CodeValue, protocol.CodingSchemeDesignator, protocol.CodeMeaning = "T1", "99X", "Kopf über alles"
    request.ScheduledProcedureStepID, request.RequestedProcedureID = "SPS1", "RP1"
    request.ScheduledProtocolCodeSequence = [protocol]
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "HEAD", "99X", "Head"
    other.PatientID, other.TypeOfPatientID = "OLD1", "TEXT"
    return {
        "RequestAttributesSequence": [request], "ProcedureCodeSequence": [code], "OtherPatientIDsSequence": [other],
        "InstitutionName": "Hôpital", "PatientAge": "076Y", "EchoTime": "12.5", "ImageType": ["DERIVED", "PRIMARY"],
    }  # fmt: skip


@dataclass
class Destination:
    """A pynetdicom that stores; ``statuses`` are answered to the instances named, ``pause`` holds each up."""

    address: Address | None = None
    stored: list[Any] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    pause: threading.Event | None = None

    def answer_store(self, event: Any) -> int:
        if self.pause is not None:
            self.pause.wait(10)
        uid = str(event.request.AffectedSOPInstanceUID)
        if uid not in self.statuses:
            self.stored.append(event)
        return self.statuses.get(uid, 0)

    @property
    def uids(self) -> list[str]:
        """What was stored."""
        return [str(event.request.AffectedSOPInstanceUID) for event in self.stored]


@dataclass(frozen=True, slots=True)
class QueryDevice:
    """A device that listens, and where its images can be sent."""

    modality: Modality
    address: Address
    destination: Destination

    def find(
        self, model: str, level: str, calling: str = "READER", syntaxes: list[str] | None = None, **keys: Any
    ) -> list[tuple[Dataset, Dataset | None]]:
        """All responses to a C-FIND, the final one among them."""
        with associated(self.address, [FIND[model]], calling=calling, transfer_syntaxes=syntaxes) as association:
            asked = make_identifier(QueryRetrieveLevel=level, **keys)
            return [(status, found) for status, found in association.send_c_find(asked, FIND[model])]

    def matches(self, model: str, level: str, **keys: Any) -> list[Dataset]:
        """The matches of a query that succeeds."""
        *pending, (final, _) = self.find(model, level, **keys)
        assert (final.Status, [status.Status for status, _ in pending]) == (0, [0xFF00] * len(pending))
        return [found for _, found in pending if found is not None]

    def move(self, model: str, level: str, to: str = "STORE", **keys: Any) -> list[tuple[Dataset, Dataset | None]]:
        """All responses to a C-MOVE."""
        with associated(self.address, [MOVE[model]], calling="READER") as association:
            asked = make_identifier(QueryRetrieveLevel=level, **keys)
            return [(status, found) for status, found in association.send_c_move(asked, to, MOVE[model])]


def make_identifier(**keys: Any) -> Dataset:
    """A data set with these keys."""
    asked = Dataset()
    for keyword, value in keys.items():
        setattr(asked, keyword, value)
    return asked


@contextmanager
def query_device(
    folder: Path, peers: Mapping[str, Mapping[str, Any]] | None = None, extensions: Sequence[str] = ()
) -> Iterator[QueryDevice]:
    """The device with its images; READER may query, STORE is a destination; ``peers`` are further ones."""
    destination = Destination()
    with ExitStack() as stack:
        handlers = [(evt.EVT_C_STORE, destination.answer_store)]
        store = stack.enter_context(serving([MRImageStorage], handlers, aet="STORE"))
        destination.address = store
        tables = [
            PeerTable("reader", Address("READER", 1), ["query_retrieve"], {"incoming": INCOMING}),
            PeerTable("store", store, ["storage"]),
            *(
                PeerTable(name, Address(name.upper(), 1), [], {"incoming": INCOMING, **settings})
                for name, settings in (peers or {}).items()
            ),
        ]
        site = write_site(folder, "mr", tables)
        text = site.path.read_text("utf-8")
        site.path.write_text(f"extensions = {json.dumps(list(extensions))}\n{text}", "utf-8")
        modality = stack.enter_context(Modality(site.path))
        modality.import_files([save(image, folder / "images") for image in make_images()])
        modality.serve()
        yield QueryDevice(modality, site.device, destination)
