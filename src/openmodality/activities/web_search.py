"""Search of the local database over DICOMweb (QIDO-RS, PS3.18 10.6): what the Query SCP finds, as DICOM JSON.

The index, the keys and the matching are those of ``activities.query_answers``. A key that a level does not have is an
error: where it was ignored, a client that filters by it would take everything for a match.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final

from pydicom import Dataset
from pydicom.datadict import tag_for_keyword

from openmodality.activities.query_answers import MAX_FILES, StoredEntities
from openmodality.dimse.service import Refuse
from openmodality.encoding.headers import format_tag
from openmodality.encoding.json_model import JsonDataSet, JsonModel
from openmodality.encoding.vr import dictionary
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import OpenModalityError, UsageError
from openmodality.query.identifier import Key, Path, identifier
from openmodality.query.matching import has_unsupported
from openmodality.services.query_retrieve import FindRequest
from openmodality.standard.query_retrieve import FURTHER_KEYS, ONLINE, STUDY_ROOT_LEVELS, Level
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.standard.vr_groups import WHOLE_NUMBER_VRS
from openmodality.store.listing.query_rows import list_attributes
from openmodality.value_class import dataclass

ALL: Final = "all"
"""``includefield`` for everything that is known on a level."""
RETRIEVE_URL: Final = "00081190"
_UIDS: Final = ("0020000D", "0020000E", "00080018")
_FOLDERS: Final = ("studies", "series", "instances")

_RETURNED: Final[Mapping[Level, Sequence[str]]] = {
    Level.STUDY: (
        "StudyDate", "StudyTime", "AccessionNumber", "ModalitiesInStudy", "ReferringPhysicianName", "StudyDescription",
        "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID",
        "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances",
    ),
    Level.SERIES: (
        "Modality", "SeriesDescription", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber",
        "NumberOfSeriesRelatedInstances", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
        "RequestAttributesSequence.ScheduledProcedureStepID", "RequestAttributesSequence.RequestedProcedureID",
    ),
    Level.IMAGE: (
        "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "InstanceNumber", "Rows", "Columns",
        "BitsAllocated", "NumberOfFrames",
    ),
}  # fmt: skip
"""What a match has in any case (PS3.18 Tables 10.6.3-3 to 10.6.3-5), and what every viewer lists besides."""


class TooMuch(OpenModalityError):
    """A search would have to look into too many files."""


@dataclass(frozen=True, slots=True)
class WebQuery:
    """A search on one level: ``matched`` are values by path, ``included`` the further attributes to return.

    ``unnamed`` are the levels above that the resource does not name, whose attributes are returned as well.
    """

    level: Level
    matched: Mapping[Path, str]
    included: Collection[str] = ()
    unnamed: Sequence[Level] = ()
    offset: int = 0


def parse_attribute(text: str) -> Path:
    """The path of an attribute: a keyword or a tag of eight digits, with those of sequences before it and dots between.

    Raises :class:`UsageError` for what is neither.
    """
    return tuple(_parse_tag(part) for part in text.split("."))


def _parse_tag(text: str) -> int:
    if len(text) == 8 and all(character in "0123456789abcdefABCDEF" for character in text):
        return int(text, 16)
    tag = tag_for_keyword(text)
    if tag is None:
        raise UsageError(
            f"there is no attribute {text[:64]!r}", advice="give keywords of PS3.6, or tags of eight digits: 00100020"
        )
    return tag


class WebSearch:
    """Answers searches out of the local database."""

    def __init__(self, source: StoredEntities) -> None:
        self._source = source

    def find(self, query: WebQuery, service_url: str) -> Iterator[JsonDataSet]:
        """The matches as DICOM JSON, from the offset on, each with the URL where it can be retrieved.

        Raises :class:`UsageError` for keys that cannot be, and :class:`TooMuch` where keys that only files have are
        asked of too many.
        """
        data_set = self._make_identifier(query)
        added = Dataset()
        added.InstanceAvailability = ONLINE
        request = FindRequest(query.level, data_set, added, EXPLICIT_VR_LITTLE_ENDIAN)
        depth = STUDY_ROOT_LEVELS.index(query.level) + 1
        try:
            for raw in islice(chain.from_iterable(self._source.find(request)), query.offset, None):
                match = _write_match(raw)
                if ALL in query.included:
                    match = {tag: element for tag, element in match.items() if len(element) > 1}
                yield _add_url(match, service_url, depth)
        except Refuse as error:
            raise TooMuch(str(error), advice=f"give more keys, or ask for less; {MAX_FILES} are the most") from error

    def _make_identifier(self, query: WebQuery) -> Dataset:
        returned = [parse_attribute(text) for level in (*query.unnamed, query.level) for text in _RETURNED[level]]
        included = list(self._list_included(query))
        data_set = identifier(
            [Key(path) for path in dict.fromkeys([*returned, *included])],
            {path: _read_value(path, value) for path, value in query.matched.items()},
        )
        asked = identifier([Key(path) for path in query.matched])
        if has_unsupported(asked, self._source.list_supported(query.level, asked)):
            unknown = [path for path in query.matched if not self._is_supported(query.level, path)]
            names = ", ".join(" > ".join(map(format_tag, path)) for path in unknown)
            raise UsageError(
                f"{names} cannot be matched at this level", advice="leave it out, or search at a lower level"
            )
        return data_set

    def _is_supported(self, level: Level, path: Path) -> bool:
        asked = identifier([Key(path)])
        return not has_unsupported(asked, self._source.list_supported(level, asked))

    def _list_included(self, query: WebQuery) -> Iterator[Path]:
        for text in query.included:
            if text != ALL:
                yield parse_attribute(text)
                continue
            for keyword in list_attributes(query.level):
                yield parse_attribute(keyword)
            levels = STUDY_ROOT_LEVELS[: STUDY_ROOT_LEVELS.index(query.level) + 1]
            for level in (Level.PATIENT, *levels):
                yield from ((tag,) for keyword in FURTHER_KEYS.get(level, ()) if (tag := tag_for_keyword(keyword)))


def _read_value(path: Path, text: str) -> object:
    """The value of a key; in a list of UIDs commas part them as well (PS3.18 8.3.4.1)."""
    vr = dictionary()[path[-1]].split(" or ")[0]
    if vr == "SQ":
        raise UsageError(f"{format_tag(path[-1])} is a sequence", advice="name an attribute in it, behind a dot")
    if vr == "UI":
        return text.replace(",", "\\")
    if vr in WHOLE_NUMBER_VRS:
        if not text.lstrip("-").isdecimal():
            raise UsageError(f"{format_tag(path[-1])}: its value is no {vr}", advice="give a whole number")
        return int(text)
    return text


def _write_match(raw: bytes) -> JsonDataSet:
    model = JsonModel(lambda path: "")
    walk = DataSetWalk(EXPLICIT_VR_LITTLE_ENDIAN, (model,))
    walk.feed(raw)
    walk.finish()
    model.document.pop("00080005", None)
    return model.document


def _add_url(match: JsonDataSet, service_url: str, depth: int) -> JsonDataSet:
    """The match with (0008,1190) Retrieve URL; its attributes in the order of their tags."""
    uids = [match.get(tag, {}).get("Value", [""])[0] for tag in _UIDS[:depth]]
    parts = [part for pair in zip(_FOLDERS, uids, strict=False) for part in pair]
    match[RETRIEVE_URL] = {"vr": "UR", "Value": ["/".join([service_url, *parts])]}
    return dict(sorted(match.items()))
