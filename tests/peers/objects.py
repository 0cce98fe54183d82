"""Small DICOM objects to talk about: valid images of any size, and worklist items. All patients are invented.

The same ``seed`` gives the same pixels; UIDs are new at each call unless they are given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom.charset import convert_encodings
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info
from pydicom.uid import (
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

_WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
_COMMON = {
    "SpecificCharacterSet": "ISO_IR 100", "PatientName": "Doe^Jane", "PatientID": "TEST-0001",
    "PatientBirthDate": "19700101", "PatientSex": "F", "StudyDate": "20261122", "StudyTime": "101500",
    "SeriesDate": "20261122", "SeriesTime": "101500",
    "ContentDate": "20261122", "ContentTime": "101500", "AcquisitionDate": "20261122", "AcquisitionTime": "101500",
    "AccessionNumber": "A0001", "ReferringPhysicianName": "", "StudyID": "1", "SeriesNumber": 1, "AcquisitionNumber": 1,
    "Manufacturer": "OpenModality", "InstitutionName": "Test Hospital", "PatientPosition": "HFS", "Laterality": "",
    "FrameOfReferenceUID": "1.2.3.4.5.6.7", "PositionReferenceIndicator": "",
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1.0, 1.0], "SliceThickness": 5.0,
    "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16, "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 0,
}  # fmt: skip
_MR = {
    "Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"], "ScanningSequence": "SE",
    "SequenceVariant": "NONE", "ScanOptions": "", "MRAcquisitionType": "2D",
    "RepetitionTime": 500.0, "EchoTime": 20.0, "EchoTrainLength": 1,
    "BitsStored": 12, "HighBit": 11,
}  # fmt: skip
_CT = {
    "Modality": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], "RescaleIntercept": -1024, "RescaleSlope": 1,
    "RescaleType": "HU", "KVP": 120, "BitsStored": 12, "HighBit": 11,
}  # fmt: skip


def mr_image(
    *, rows: int = 64, columns: int = 64, transfer_syntax: str = ExplicitVRLittleEndian, seed: int = 0, **values: Any
) -> FileDataset:
    """An MR image of ``2 * rows * columns`` bytes of pixels. ``values`` are set by keyword: ``PatientID="7"``."""
    return _image(MRImageStorage, _MR | values, rows, columns, transfer_syntax, seed)


def ct_image(
    *, rows: int = 64, columns: int = 64, transfer_syntax: str = ExplicitVRLittleEndian, seed: int = 0, **values: Any
) -> FileDataset:
    """A CT image of ``2 * rows * columns`` bytes of pixels. ``values`` are set by their keyword."""
    return _image(CTImageStorage, _CT | values, rows, columns, transfer_syntax, seed)


def save(instance: FileDataset, folder: Path) -> Path:
    """Write a Part 10 file named by its SOP Instance UID (0008,0018); the folder is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{instance.SOPInstanceUID}.dcm"
    instance.save_as(path, enforce_file_format=True)
    return path


def mr_series(folder: Path, count: int, *, rows: int = 64, columns: int = 64, **values: Any) -> list[Path]:
    """A series of MR images of one study as files, Instance Number (0020,0013) from 1."""
    together: dict[str, Any] = {"StudyInstanceUID": generate_uid(), "SeriesInstanceUID": generate_uid(), **values}
    image = mr_image(rows=rows, columns=columns, **together)
    syntax = image.file_meta.TransferSyntaxUID
    kept: dict[int, bytes] = {}
    paths = []
    for number in range(1, count + 1):
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        image.InstanceNumber, image.ImagePositionPatient = number, [0, 0, 5 * number]
        image["PixelData"].value = _pixels(rows, columns, image.BitsStored, number, syntax)
        paths.append(_save_next(image, folder, kept) if syntax == ExplicitVRLittleEndian else save(image, folder))
    return paths


_OF_ONE_IMAGE: Final = frozenset(
    map(tag_for_keyword, ("SOPInstanceUID", "InstanceNumber", "ImagePositionPatient", "PixelData"))
)


def _save_next(image: FileDataset, folder: Path, kept: dict[int, bytes]) -> Path:
    """As :func:`save`; what the images of a series share is encoded once, as pydicom takes longest for it."""
    encodings = convert_encodings(image.get("SpecificCharacterSet"))
    parts = []
    for element in image:
        part = kept.get(element.tag)
        if part is None or element.tag in _OF_ONE_IMAGE:
            stream = DicomBytesIO()
            stream.is_implicit_VR, stream.is_little_endian = False, True
            write_data_element(stream, element, encodings)
            part = kept[element.tag] = stream.getvalue()
        parts.append(part)
    head = DicomBytesIO()
    head.is_implicit_VR, head.is_little_endian = False, True
    write_file_meta_info(head, image.file_meta)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{image.SOPInstanceUID}.dcm"
    path.write_bytes(b"".join((bytes(128), b"DICM", head.getvalue(), *parts)))
    return path


def worklist_item(**values: Any) -> FileDataset:
    """A scheduled procedure step (PS3.4 K.6.1.2) for an MR of the station DCMSERVER.

    ``values`` are set by keyword; those of the Scheduled Procedure Step Sequence (0040,0100) go into its one item.
    """
    step = _dataset({
        "Modality": "MR", "ScheduledStationAETitle": "DCMSERVER", "ScheduledProcedureStepStartDate": "20261122",
        "ScheduledProcedureStepStartTime": "090000", "ScheduledPerformingPhysicianName": "Doe^John",
        "ScheduledProcedureStepDescription": "Head routine", "ScheduledProcedureStepID": "SPS1",
        "ScheduledStationName": "MR1", "ScheduledProcedureStepLocation": "Room 1",
    })  # fmt: skip
    for keyword in [keyword for keyword in values if keyword in step]:
        setattr(step, keyword, values.pop(keyword))
    item = _dataset({
        "SpecificCharacterSet": "ISO_IR 100", "AccessionNumber": "A0001", "ReferringPhysicianName": "Roe^Richard",
        "PatientName": "Doe^Jane", "PatientID": "TEST-0001", "PatientBirthDate": "19700101", "PatientSex": "F",
        "PatientWeight": 70, "MedicalAlerts": "", "Allergies": "", "PregnancyStatus": 4,
        "StudyInstanceUID": generate_uid(), "RequestingPhysician": "Roe^Richard",
        "RequestedProcedureDescription": "MR head", "RequestedProcedureID": "RP1",
        "RequestedProcedurePriority": "MEDIUM", "PatientTransportArrangements": "", "AdmissionID": "",
        "CurrentPatientLocation": "", "ScheduledProcedureStepSequence": [step],
    } | values)  # fmt: skip
    return _as_file(item, _WORKLIST_FIND, generate_uid(), ExplicitVRLittleEndian)


def _image(
    sop_class: UID, values: dict[str, Any], rows: int, columns: int, transfer_syntax: str, seed: int
) -> FileDataset:
    own: dict[str, Any] = {
        "SOPClassUID": sop_class,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": generate_uid(),
        "SeriesInstanceUID": generate_uid(),
        "InstanceNumber": 1,
        "ImagePositionPatient": [0, 0, 0],
        "Rows": rows,
        "Columns": columns,
    }
    image = _dataset(_COMMON | own | values)
    image.PixelData = _pixels(rows, columns, image.BitsStored, seed, UID(transfer_syntax))
    image["PixelData"].VR = "OW"
    return _as_file(image, sop_class, image.SOPInstanceUID, transfer_syntax)


def _pixels(rows: int, columns: int, bits: int, seed: int, transfer_syntax: UID) -> bytes:
    order = "<u2" if transfer_syntax.is_little_endian else ">u2"
    noise = np.random.default_rng(seed).integers(0, 1 << bits, size=(rows, columns), dtype=np.uint16)
    return noise.astype(order).tobytes()


def _dataset(values: dict[str, Any]) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def _as_file(dataset: Dataset, sop_class: str, instance: str, transfer_syntax: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(sop_class)
    meta.MediaStorageSOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = UID(transfer_syntax)
    syntax = meta.TransferSyntaxUID
    return FileDataset(
        "",
        dataset,
        preamble=b"\0" * 128,
        file_meta=meta,
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
