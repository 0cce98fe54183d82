"""What follows from what is stated of an irradiation event."""

from __future__ import annotations

from openmodality import IrradiationEvent
from tests.made_objects import NOW


def test_what_follows_from_the_rest_is_added() -> None:
    event = IrradiationEvent(KVP=80, XRayTubeCurrent=200, ExposureTime=50)
    assert event["Exposure"] == 10.0
    assert (event["IrradiationDuration"], event["NumberOfPulses"], event["PulseWidth"]) == (0.05, 1.0, 50.0)
    run = IrradiationEvent(KVP=80, RadiationSetting="SC", PulseRate=15, IrradiationDuration=4, PulseWidth=8)
    assert (run["NumberOfPulses"], run["ExposureTime"]) == (60.0, 480.0)
    assert (run.event_type, run.text("FluoroMode")) == ("Fluoroscopy", "Pulsed")


def test_a_run_has_a_pulse_for_each_of_its_images_when_these_are_known() -> None:
    run = IrradiationEvent(KVP=80, XRayTubeCurrent=100, ExposureTime=45, PulseRate=3)
    assert (run.get("NumberOfPulses"), run.get("PulseWidth")) == (None, None)
    begun = run.begin("1.2.3", NOW, 3)
    assert (begun["NumberOfPulses"], begun["PulseWidth"], begun["IrradiationDuration"]) == (3, 15, 1)
    assert IrradiationEvent.from_json(begun.to_json()).begin("1.2.3", NOW, 5) == begun
    without_rate = IrradiationEvent(KVP=80, ExposureTime=45).begin("1.2.3", NOW, 3)
    assert (without_rate["NumberOfPulses"], without_rate["PulseWidth"]) == (3, 15)


def test_what_is_stated_stays() -> None:
    stated = IrradiationEvent(KVP=80, PulseWidth=8, NumberOfPulses=4, IrradiationDuration=2, PulseRate=2)
    begun = stated.begin("1.2.3", NOW, 3)
    assert (begun["NumberOfPulses"], begun["PulseWidth"], begun["IrradiationDuration"]) == (4, 8, 2)
    assert begun["ExposureTime"] == 32
    nothing_kept = IrradiationEvent(KVP=80, RadiationSetting="SC", PulseRate=7.5, IrradiationDuration=12)
    assert nothing_kept.begin("1.2.3", NOW, 0)["NumberOfPulses"] == 90
