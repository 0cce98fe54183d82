"""R/F 6: the default repertoire and GB18030, and what a site puts before it, as pydicom and DCMTK read it back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.datadict import keyword_for_tag

from openmodality import IrradiationEvent, Modality
from tests.acceptance.requirements.pynetdicom_hospital import recorded_device
from tests.acceptance.requirements.test_rf_association import full_item
from tests.devices import pixels
from tests.peers.process import run

TABLE = Path("tests/data/spec/rf/charset_attributes.csv")
HAN = "检查"
ASKED_FOR = (
    "MedicalAlerts", "EthnicGroup", "AdditionalPatientHistory", "RequestingPhysician", "RequestingService",
    "RequestedProcedureComments", "ImagingServiceRequestComments", "NamesOfIntendedRecipientsOfResults",
)  # fmt: skip
"""What the worklist item has beside what images take from it."""


def read_table() -> dict[str, str]:
    """Table 6-1: keywords with their value representation."""
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {row["keyword"]: row["vr"] for row in csv.DictReader(lines)}


def write_chinese(data_set: Dataset) -> None:
    """Chinese in each attribute of Table 6-1 that is there, and in those of its sequences."""
    table = read_table()
    for element in data_set.iterall():
        if vr := table.get(element.keyword):
            element.value = f"Wang^Y=王^{element.keyword[:9]}检" if vr == "PN" else element.keyword[:12] + HAN


def list_texts(data_set: Dataset) -> Iterator[tuple[str, str]]:
    for element in data_set.iterall():
        if element.VR in ("LO", "LT", "PN", "SH", "ST", "UC", "UT") and not str(element.value).isascii():
            yield keyword_for_tag(element.tag), str(element.value)


def dump(path: Path) -> str:
    """What DCMTK reads in the file, as UTF-8."""
    ended = run("dcmdump", "+U8", "+L", path)
    assert ended.status == 0, ended.output
    return ended.output


@pytest.mark.needs("dcmdump")
@pytest.mark.requirement("RF-6-01", "RF-6-02")
def test_each_attribute_of_the_table_holds_chinese(tmp_path: Path) -> None:
    item = full_item()
    for keyword in ASKED_FOR:
        setattr(item, keyword, "x")
    write_chinese(item)
    said: dict[str, Any] = {
        "OperatorsName": f"Li^E=李^{HAN}", "PerformedProcedureStepDescription": HAN,
        "PerformedProcedureTypeDescription": HAN,
    }  # fmt: skip
    more = f'[device]\nphysicians_of_record = "He^F=何^{HAN}"\n'
    with recorded_device(tmp_path, "rf", items=[item], more=more) as recorded, recorded.modality() as modality:
        (found,) = modality.worklist()
        received = dict(list_texts(found.attributes))
        with modality.exam(found, **said) as exam:
            series = exam.series(HAN, sop_class_uid="1.2.840.10008.5.1.4.1.1.12.2", ProtocolName=HAN)
            event = IrradiationEvent(KVP=80, ProtocolName=HAN)
            (uid,) = series.add(pixels(), irradiation=event, SeriesDescription=HAN, ImageComments=HAN)
        assert modality.wait_until_idle(20)
        path = modality.instance_path(uid)
        image, seen = dcmread(path), dump(path)
        reports = [each.data for each in recorded.recorder.requests("C-STORE-RQ") if each.data.Modality == "SR"]
        steps = [each.data for name in ("N-CREATE-RQ", "N-SET-RQ") for each in recorded.recorder.requests(name)]
    assert image.SpecificCharacterSet == "GB18030"
    in_image = dict(list_texts(image))
    assert len(in_image) > 8
    for keyword, text in in_image.items():
        assert text in seen, keyword
    for text in ("Patient", HAN):
        assert text in seen
    in_steps = {keyword: text for each in steps for keyword, text in list_texts(each)}
    assert all(each.SpecificCharacterSet == "GB18030" for each in [*steps, *reports])
    assert {HAN} <= {text for each in reports for _, text in list_texts(each)}
    assert read_table().keys() - received.keys() - in_image.keys() - in_steps.keys() == set()


NAMES = {"ascii": "Doe^Jane", "latin": "Müller^Jörg", "chinese": "Wang^XiaoDong=王^小东"}
SITES: dict[str, dict[str, str | None]] = {
    "": {"ascii": None, "latin": "GB18030", "chinese": "GB18030"},
    '["ISO_IR 100", "GB18030"]': {"ascii": "ISO_IR 100", "latin": "ISO_IR 100", "chinese": "GB18030"},
    '["", "ISO_IR 100", "GB18030"]': {"ascii": None, "latin": "ISO_IR 100", "chinese": "GB18030"},
    '["ISO_IR 192", "GB18030"]': {"ascii": "ISO_IR 192", "latin": "ISO_IR 192", "chinese": "ISO_IR 192"},
}


@pytest.mark.needs("dcmdump")
@pytest.mark.requirement("RF-6-01")
@pytest.mark.parametrize("configured", SITES)
def test_a_site_puts_other_sets_before_gb18030(tmp_path: Path, configured: str) -> None:
    line = f"[device]\ncharacter_sets = {configured}\n" if configured else ""
    (tmp_path / "site.toml").write_text(f'profile = "rf"\n{line}', "utf-8")
    with Modality(tmp_path / "site.toml", works=False) as modality:
        for number, (script, name) in enumerate(NAMES.items()):
            exam = modality.register({"PatientID": str(number), "PatientName": name})
            exam.series("Stomach", modality="RF").add(pixels(), irradiation=IrradiationEvent(KVP=80))
            exam.complete()
            for each in exam.instances():
                path = modality.instance_path(each.SOPInstanceUID)
                made = dcmread(path)
                assert made.get("SpecificCharacterSet") == SITES[configured][script]
                assert str(made.PatientName) == name
                assert f"[{name}]" in dump(path)
