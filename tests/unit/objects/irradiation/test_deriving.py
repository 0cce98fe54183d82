"""What follows from what is stated of an irradiation event."""

from __future__ import annotations

from openmodality import IrradiationEvent


def test_what_follows_from_the_rest_is_added() -> None:
    event = IrradiationEvent(KVP=80, XRayTubeCurrent=200, ExposureTime=50)
    assert event["Exposure"] == 10.0
    assert (event["IrradiationDuration"], event["NumberOfPulses"], event["PulseWidth"]) == (0.05, 1.0, 50.0)
    run = IrradiationEvent(KVP=80, RadiationSetting="SC", PulseRate=15, IrradiationDuration=4, PulseWidth=8)
    assert (run["NumberOfPulses"], run["ExposureTime"]) == (60.0, 480.0)
    assert (run.event_type, run.text("FluoroMode")) == ("Fluoroscopy", "Pulsed")
