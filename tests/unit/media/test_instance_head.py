"""Keys of records out of an instance, and those that are made up."""

from __future__ import annotations

from datetime import datetime

import pytest
from pydicom import Dataset

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.errors import ObjectInvalid
from openmodality.media.instance_head import RecordMaker, is_generated_id, read_instance_head
from openmodality.media.records import RecordType
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from tests.peers import objects

NOW = datetime(2026, 11, 29, 8, 30, 5)


def encode(**values: object) -> bytes:
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return encode_data_set(data_set, EXPLICIT_VR_LITTLE_ENDIAN)


def make_keys(record_type: RecordType, maker: RecordMaker, **values: object) -> Dataset:
    head = read_instance_head(encode(**values), whole=True)
    assert head is not None
    return decode_data_set(maker.encode_keys(record_type, head, 4), EXPLICIT_VR_LITTLE_ENDIAN)


def test_the_beginning_of_a_data_set_may_be_too_short() -> None:
    data = encode_data_set(objects.mr_image(rows=8, columns=8), EXPLICIT_VR_LITTLE_ENDIAN)
    assert read_instance_head(data[:60], whole=False) is None
    head = read_instance_head(data, whole=True)
    assert head is not None
    assert head.record_type is RecordType.IMAGE
    with pytest.raises(ObjectInvalid):
        read_instance_head(data[:61], whole=True)


def test_pixels_that_are_longer_than_the_beginning_are_not_waited_for() -> None:
    data = encode_data_set(objects.mr_image(rows=64, columns=64), EXPLICIT_VR_LITTLE_ENDIAN)
    head = read_instance_head(data[:-1000], whole=False)
    assert head is not None
    assert head == read_instance_head(data, whole=True)


def test_values_are_copied_in_the_character_set_of_the_instance() -> None:
    keys = make_keys(
        RecordType.PATIENT, RecordMaker(), SpecificCharacterSet="ISO_IR 100", PatientName="Müller", PatientID="7"
    )
    assert (keys.SpecificCharacterSet, keys.PatientName, keys.PatientID) == ("ISO_IR 100", "Müller", "7")


def test_missing_values_are_made_up_and_told() -> None:
    maker = RecordMaker(now=lambda: NOW, taken_ids=["NOID0001"])
    assert make_keys(RecordType.PATIENT, maker).PatientID == "NOID0002"
    study = make_keys(RecordType.STUDY, maker, ContentDate="20260101", StudyInstanceUID="1.2.3")
    assert (study.StudyDate, study.StudyTime, study.StudyID) == ("20260101", "083005", "4")
    series = make_keys(RecordType.SERIES, maker)
    assert (series.Modality, series.SeriesNumber) == ("OT", 4)
    assert len(maker.notices) == 7


@pytest.mark.parametrize(("text", "made"), [("NOID0001", True), ("NOID12345", True), ("NOID1", False), ("7", False)])
def test_which_ids_are_made_up(text: str, made: bool) -> None:
    assert is_generated_id(text) is made
