"""What images say of the exposure that made them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pydicom import Dataset

from openmodality import IrradiationEvent
from openmodality.objects.irradiation.image_attributes import describe_exposure, merge_exposure

EVENT = IrradiationEvent(
    KVP=77.5, XRayTubeCurrent=50, PulseWidth=8, PulseRate=4, NumberOfPulses=3, IrradiationEventType="fluoroscopy",
    ImageAndFluoroscopyAreaDoseProduct=1.0, EntranceDoseInmGy=2.0, Grid="FIXED", DistanceSourceToDetector=1100,
    DistanceSourceToIsocenter=800, PositionerPrimaryAngle=-5,
).begin("1.2.3", datetime(2026, 11, 29, 8), 3)  # fmt: skip


def test_images_share_the_dose_to_the_last_digit() -> None:
    images = [describe_exposure(EVENT, index) for index in range(3)]
    assert sum(Decimal(str(each.ImageAndFluoroscopyAreaDoseProduct)) for each in images) == 1
    assert sum(Decimal(str(each.EntranceDoseInmGy)) for each in images) == 2
    assert [each.AcquisitionTime for each in images] == ["080000.000000", "080000.250000", "080000.500000"]
    assert {each.IrradiationEventUID for each in images} == {"1.2.3"}


def test_technique_and_geometry() -> None:
    image = describe_exposure(EVENT, 0)
    assert (float(image.KVP), image.XRayTubeCurrent, image.ExposureTime, image.Exposure) == (77.5, 50, 8, 1)
    assert (image.RadiationSetting, image.RadiationMode, image.Grid) == ("SC", "PULSED", "IN")
    assert float(image.EstimatedRadiographicMagnificationFactor) == 1.375
    assert float(image.PositionerPrimaryAngle) == -5
    assert "PositionerSecondaryAngle" not in image


def test_the_record_goes_before_what_the_source_says_except_when_and_where() -> None:
    said = Dataset()
    said.KVP, said.AcquisitionTime, said.BitsStored = "60", "070000", 12
    merged = merge_exposure(said, describe_exposure(EVENT, 0))
    assert (float(merged.KVP), merged.AcquisitionTime, merged.BitsStored) == (77.5, "070000", 12)
    assert float(said.KVP) == 60
