"""One irradiation event: one continuous release of radiation, such as one press of the fluoroscopy pedal.

The dose report, the attributes of images and the performed step take their numbers from here and from nowhere else, so
they agree to the last digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

from openmodality.objects.irradiation.deriving import derive_rest
from openmodality.objects.irradiation.quantities import FLUOROSCOPY, SIDES
from openmodality.objects.irradiation.stating import read_statement, round_dose
from openmodality.value_class import dataclass

_STARTED: Final = "started"
_UID: Final = "uid"


@dataclass(frozen=True, slots=True)
class XRayFilter:
    """A filter in the beam: type and material in the words of CID 10007 and 10006."""

    type: str
    material: str
    thickness_minimum_mm: float
    thickness_maximum_mm: float


class IrradiationEvent:
    """One irradiation event, stated by DICOM keywords: ``IrradiationEvent(KVP=80, XRayTubeCurrent=200, ...)``.

    Keywords are those of PS3.6, in their units (``XRayTubeCurrent`` mA, ``ExposureTime`` ms, ``Exposure`` mAs,
    ``ImageAndFluoroscopyAreaDoseProduct`` dGy.cm2, ``EntranceDoseInmGy`` mGy, distances mm, angles degrees), and the
    concept names of the dose report without blanks, in the units of TID 10003 (``DoseAreaProduct`` Gy.m2, ``DoseRP``
    Gy, ``CollimatedFieldArea`` m2). ``KVP`` is required. What follows from the others is added, such as the exposure
    from current and time. Immutable; equal where it says the same.

    ``AcquisitionDateTime`` says when it started. Without it, the event is taken to end when it is recorded.

    Raises :class:`openmodality.errors.ObjectInvalid` that names each keyword that is missing, unknown or wrong, and
    what would be right.
    """

    __slots__ = ("_derived", "_filters", "_numbers", "_started", "_terms", "_uid")

    def __init__(self, **attributes: object) -> None:
        self._fill("irradiation", attributes)

    @classmethod
    def from_keywords(cls, attributes: Mapping[str, object], where: str) -> Self:
        """The event that a file states by the same keywords; ``where`` names the file in the error."""
        made = cls.__new__(cls)
        made._fill(where, attributes)
        return made

    def _fill(self, where: str, attributes: Mapping[str, object]) -> None:
        statement = read_statement(attributes, where)
        self._numbers: Mapping[str, float] = statement.numbers
        self._derived = statement.derived
        self._terms: Mapping[str, str] = statement.terms
        self._filters = tuple(XRayFilter(*each) for each in statement.filters)
        self._started = statement.started
        self._uid = statement.uid

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IrradiationEvent) and self._list_said() == other._list_said()

    def _list_said(self) -> tuple[object, ...]:
        return self._uid, self._started, self._numbers, self._terms, self._filters

    def __hash__(self) -> int:
        return hash((self._uid, self._started, tuple(sorted(self._numbers.items()))))

    def __repr__(self) -> str:
        return f"<IrradiationEvent {self.event_type}, {self['KVP']:g} kV>"

    def __getitem__(self, name: str) -> float:
        """A quantity by its name, in the unit of ``quantities``. Raises :class:`KeyError` where it is not known."""
        return self._numbers[name]

    def get(self, name: str) -> float | None:
        """A quantity by its name; None where it is not known."""
        return self._numbers.get(name)

    def text(self, name: str) -> str:
        """A term or text by its name; empty where it is not known."""
        return self._terms.get(name, "")

    @property
    def event_type(self) -> str:
        """Irradiation Event Type, a term of CID 10002."""
        return self._terms["IrradiationEventType"]

    @property
    def is_fluoroscopy(self) -> bool:
        """Whether the event counts as fluoroscopy and not as acquisition (TID 10004)."""
        return self.event_type == FLUOROSCOPY

    @property
    def filters(self) -> tuple[XRayFilter, ...]:
        """The filters in the beam."""
        return self._filters

    @property
    def uid(self) -> str:
        """(0008,3010) Irradiation Event UID; empty where the device is to make one."""
        return self._uid

    @property
    def started(self) -> datetime | None:
        """When it started; None where that is not stated."""
        return self._started

    @property
    def duration_s(self) -> float:
        """From the first radiation to the last; 0 where it is not known."""
        return self._numbers.get("IrradiationDuration", 0.0)

    @property
    def number_of_frames(self) -> int:
        """Images that it made, kept or not."""
        return int(self._numbers.get("NumberOfFrames", 0))

    @property
    def time_s(self) -> float | None:
        """The time that counts: of a fluoroscopy run its duration, pauses included; of an acquisition its exposure."""
        if self.is_fluoroscopy:
            return self.get("IrradiationDuration")
        exposure_time = self.get("ExposureTime")
        return None if exposure_time is None else exposure_time / 1000.0

    def complete(self, protocol: str, body_part: str, side: str = "") -> Self:
        """This event with what its series says: of the body part always, of protocol and side where it says none
        itself. ``side`` is a value of (0020,0060) Laterality.
        """
        values = self.to_json()
        if body_part:
            values["terms"]["BodyPartExamined"] = body_part
        if protocol:
            values["terms"].setdefault("AcquisitionProtocol", protocol)
        if side in SIDES:
            values["terms"].setdefault("Laterality", SIDES[side])
        return self.from_json(values)

    def derive_doses(self, reference_point_mm: float) -> Self:
        """This event with the dose (RP) that follows from area product and field, or the other way round.

        ``reference_point_mm`` is how far the reference point is from the focal spot where the event does not say it.
        """
        area, detector = self.get("CollimatedFieldArea"), self.get("DistanceSourceToDetector")
        product, dose = self.get("DoseAreaProduct"), self.get("DoseRP")
        if area is None or detector is None or (product is None) == (dose is None):
            return self
        distance = self.get("DistanceSourceToReferencePoint") or reference_point_mm
        area_at_point = area * (distance / detector) ** 2
        values = self.to_json()
        if product is not None:
            values["numbers"]["DoseRP"] = round_dose("DoseRP", product / area_at_point)
        elif dose is not None:
            values["numbers"]["DoseAreaProduct"] = round_dose("DoseAreaProduct", dose * area_at_point)
        return self.from_json(values)

    def begin(self, uid: str, started: datetime, number_of_frames: int) -> Self:
        """This event as it goes on record, with what it does not say itself.

        Where it does not say how many images it makes, what follows from that is worked out anew: pulses and times.
        """
        values = self.to_json()
        values[_UID] = self._uid or uid
        values[_STARTED] = started.isoformat()
        if "NumberOfFrames" not in self._numbers:
            numbers = {name: value for name, value in self._numbers.items() if name not in self._derived}
            values["numbers"] = numbers | {"NumberOfFrames": number_of_frames}
            derive_rest(values["numbers"], values["terms"])
        return self.from_json(values)

    def find_end(self, started: datetime) -> datetime:
        """When it ended if it started at this moment."""
        return started + timedelta(seconds=self.duration_s)

    def to_json(self) -> dict[str, Any]:
        """The event as the database keeps it."""
        return {
            _UID: self._uid,
            _STARTED: self._started.isoformat() if self._started else None,
            "numbers": dict(self._numbers),
            "derived": sorted(self._derived),
            "terms": dict(self._terms),
            "filters": [
                [each.type, each.material, each.thickness_minimum_mm, each.thickness_maximum_mm]
                for each in self._filters
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """An event that was kept."""
        made = cls.__new__(cls)
        made._numbers, made._terms = dict(value["numbers"]), dict(value["terms"])
        made._derived = frozenset(value.get("derived", ()))
        made._filters = tuple(XRayFilter(*each) for each in value["filters"])
        made._started = datetime.fromisoformat(value[_STARTED]) if value[_STARTED] else None
        made._uid = value[_UID]
        return made
