"""Where the values of attributes come from: the sources that a rule table names, as places to look in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Final, TypeAlias

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from openmodality.device.profile.profile import AttributeRule, Requirement, ValueSource
from openmodality.objects.rules.elements import index_values
from openmodality.value_class import dataclass

MUST_HAVE_VALUE: Final[frozenset[Requirement]] = frozenset({"1", "ALWAYS"})

Places: TypeAlias = tuple[Mapping[int, DataElement], ...]
"""The elements that have a value, by tag, of each data set of :class:`SourceValues`, in the order of its fields."""

_WORKLIST, _USER, _CONFIGURATION, _ACQUISITION, _AUTOMATIC = range(5)

PLACE_NAMES: Final = ("the worklist", "the operator", "the site file", "the acquisition", "the device")
"""Of :data:`Places`, for people."""

SOURCE_NAMES: Final[Mapping[ValueSource, str]] = {
    "MWL": "the worklist",
    "USER": "the operator",
    "CONFIG": "the site file",
    "AUTO": "the device",
    "ACQ": "the acquisition",
}
"""Of sources, for people."""

ACQUISITION_PLACE: Final = _ACQUISITION
"""Of :data:`Places`: what made the pixels says."""
AUTOMATIC_PLACE: Final = _AUTOMATIC
"""Of :data:`Places`: what the device finds by itself."""

# The statements' AUTO covers everything that nobody types, so also what the equipment and the acquisition say; what a
# protocol sets, such as Body Part Examined, stands for the operator who chose the protocol.
_PLACES: Final[Mapping[ValueSource, tuple[int, ...]]] = {
    "MWL": (_WORKLIST,),
    "USER": (_USER, _ACQUISITION),
    "CONFIG": (_CONFIGURATION, _AUTOMATIC),
    "AUTO": (_AUTOMATIC, _CONFIGURATION, _ACQUISITION),
    "ACQ": (_ACQUISITION, _AUTOMATIC),
}
_WHO_THE_PATIENT_IS: Final = ("Patient", "Patient Identification")
"""Modules whose attributes worklist and operator say alone."""


@dataclass(frozen=True, slots=True)
class SourceValues:
    """Values by source, each a data set with attributes at the places where the new object has them.

    ``worklist`` is the chosen item after the attribute mapping, ``user`` what the operator typed, ``configuration`` the
    equipment of the site, ``acquisition`` what made the pixels says, ``automatic`` what the device finds by itself.
    """

    worklist: Dataset = field(default_factory=Dataset)
    user: Dataset = field(default_factory=Dataset)
    configuration: Dataset = field(default_factory=Dataset)
    acquisition: Dataset = field(default_factory=Dataset)
    automatic: Dataset = field(default_factory=Dataset)

    def index(self) -> Places:
        """The elements that have a value, by tag."""
        parts = (self.worklist, self.user, self.configuration, self.acquisition, self.automatic)
        return tuple(index_values(part) for part in parts)


def name_sources(row: AttributeRule) -> tuple[str, ...]:
    """Where the attribute of a row may come from, for people."""
    return tuple(SOURCE_NAMES[source] for source in row.sources) or (SOURCE_NAMES["ACQ"],)


def list_places(row: AttributeRule) -> tuple[int, ...]:
    """Where to look for the attribute of a row, the first place first.

    An attribute that must have a value may also take the one that the device finds by itself. The patient is named by
    worklist and operator alone: what came with the pixels may be of another patient.
    """
    named = [place for source in row.sources for place in _PLACES[source]]
    if row.module in _WHO_THE_PATIENT_IS:
        named = [place for place in named if place != _ACQUISITION]
    if row.requirement in MUST_HAVE_VALUE:
        named.append(_AUTOMATIC)
    return tuple(dict.fromkeys(named))
