"""Objects as a site configures them, and the objects of a device that no code knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from openmodality.device.profile.loader import load_profile
from openmodality.device.site.site import Site
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError
from openmodality.objects.exam_facts import ExamFacts, InstanceFacts, SeriesFacts
from openmodality.objects.image.image import ImageBuilder
from openmodality.objects.report.dose_content import DoseContent
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import data_set_of
from openmodality.objects.site_objects import make_definition, make_equipment_attributes
from tests.made_objects import NOW, UIDS

US = Path(__file__).parents[2] / "data" / "profiles" / "us"
SITE = """\
profile = "rf"

[device]
manufacturer = "Maker"
station_name = "XR3"
character_sets = ["", "ISO_IR 192"]

[parameters.kits]
dap = false
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return load_site(tmp_path / "site.toml")


def test_character_sets_and_kits_are_those_of_the_site(site: Site) -> None:
    definition = make_definition(site, "CR Image")
    assert definition.name == "CR Image"
    assert definition.character_sets == ((), ("ISO_IR 192",))
    assert "kits.dap" in definition.switches_off


def test_equipment_is_what_is_configured(site: Site) -> None:
    attributes = make_equipment_attributes(site.equipment)
    assert (attributes.Manufacturer, attributes.StationName) == ("Maker", "XR3")
    assert attributes.SoftwareVersions
    assert "InstitutionAddress" not in attributes


def test_an_object_of_another_device_is_a_wrong_configuration(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="it makes: XA Image"):
        make_definition(site, "MR Image")


def test_a_device_with_a_table_of_two_lines_makes_an_image_that_can_be_read() -> None:
    definition = ObjectDefinition.of(load_profile(US), "US Image")
    user = Dataset()
    user.PatientName = "Müller"
    exam = ExamFacts(UIDS(), NOW, user=user)
    pixels = np.arange(16, dtype=np.uint16).reshape(4, 4)
    builder = ImageBuilder(definition, exam, SeriesFacts(UIDS(), 1, NOW, "US"))
    data_set = builder.build(InstanceFacts(UIDS(), 1, NOW), pixels, Dataset())
    assert (data_set.Modality, data_set.PatientName, data_set.SpecificCharacterSet) == ("US", "Müller", "ISO_IR 100")
    assert data_set.StudyInstanceUID == exam.study_instance_uid
    assert np.array_equal(data_set.pixel_array, pixels)


@pytest.mark.parametrize(("station", "is_noted"), [("XR3", False), ("透视", True)])
def test_chinese_text_outside_the_table_of_the_profile_is_noted(
    caplog: pytest.LogCaptureFixture, station: str, is_noted: bool
) -> None:
    definition = ObjectDefinition.of(load_profile("rf"), "Dose SR")
    user = data_set_of(PatientName="王^小东", PatientID="1", AccessionNumber="2", StudyID="3")
    equipment = data_set_of(
        Manufacturer="A", ManufacturerModelName="B", DeviceSerialNumber="C", SoftwareVersions="D", StationName=station
    )
    exam = ExamFacts(UIDS(), NOW, user=user, configuration=equipment)
    series, instance = SeriesFacts(UIDS(), 1, NOW, "SR"), InstanceFacts(UIDS(), 1, NOW)
    data_set = build_dose_report(definition, exam, series, instance, DoseContent([], True, UIDS()))
    assert (data_set.SpecificCharacterSet, data_set.StationName) == ("GB18030", station)
    assert ["charset.attribute_not_listed" in record.message for record in caplog.records] == [True] * is_noted


@pytest.mark.parametrize(
    ("configured", "declared"),
    [
        ('["", "ISO_IR 192"]', "ISO_IR 192"),
        ('[""]', "ISO_IR 192"),
        ("['\\ISO 2022 IR 149', 'GB18030']", ["", "ISO 2022 IR 149"]),
    ],
)
def test_a_report_takes_the_character_set_of_the_site(tmp_path: Path, configured: str, declared: object) -> None:
    (tmp_path / "site.toml").write_text(SITE.replace('["", "ISO_IR 192"]', configured), encoding="utf-8")
    definition = make_definition(load_site(tmp_path / "site.toml"), "Dose SR")
    user = data_set_of(PatientName="Hong^Gildong=洪^吉洞=홍^길동", PatientID="1", AccessionNumber="2", StudyID="3")
    equipment = data_set_of(Manufacturer="A", ManufacturerModelName="B", DeviceSerialNumber="C", SoftwareVersions="D")
    exam = ExamFacts(UIDS(), NOW, user=user, configuration=equipment)
    series, instance = SeriesFacts(UIDS(), 1, NOW, "SR"), InstanceFacts(UIDS(), 1, NOW)
    data_set = build_dose_report(definition, exam, series, instance, DoseContent([], True, UIDS()))
    assert (data_set.SpecificCharacterSet, data_set.PatientName) == (declared, user.PatientName)
