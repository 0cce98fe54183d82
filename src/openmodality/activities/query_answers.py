"""This device as Query SCP: peers ask what its local database has (PS3.4 Annex C, C-FIND; MR-3.3.2).

The keys of the profile's table and every other attribute that the index keeps are matched and returned (DECISIONS
MR 9). Further keys, sequences among them, are matched and returned as the file of an instance has them: at IMAGE level
all of PS3.6, above it those of PS3.4 C.6 and of the modules of the level, as the first instance says. Patients who
share an ID are told apart by ``store.rows.patients``. Nothing that is not listed is found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydicom import Dataset
from pydicom.datadict import keyword_for_tag, tag_for_keyword

from openmodality.activities.audit import AuditTrail
from openmodality.audit.events import Partner, tell_query
from openmodality.device.site.site import Site
from openmodality.dimse.attribute_names import keyword_of
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.file_reading import read_some_elements
from openmodality.dimse.reading import PADDING, read_texts, values_of
from openmodality.dimse.service import Refuse
from openmodality.encoding.headers import format_tag
from openmodality.encoding.vr import dictionary, is_private
from openmodality.errors import ConfigurationError
from openmodality.query.identifier import Path
from openmodality.query.match_bytes import MatchEncoder
from openmodality.query.matching import NOT_MATCHED, is_universal, matches, matches_all, matches_any, select_requested
from openmodality.services.query_retrieve import FindRequest
from openmodality.standard.dimse import OUT_OF_RESOURCES, Status
from openmodality.standard.query_retrieve import FURTHER_KEYS, UNIQUE_KEYS, Level
from openmodality.standard.sop_classes import STUDY_ROOT_FIND
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.listing.query_rows import (
    list_attributes,
    read_first_instances,
    read_ids,
    read_matches,
    split_pages,
)
from openmodality.store.local import LocalStore

MAX_FILES: Final = 10_000
"""Into how many files one query may have to look; that takes a minute or two."""

_FILES_BETWEEN_LOOKS: Final = 50
"""After so many files without a match the device looks for a C-CANCEL, as it does after each match."""
_VALUES_REMEMBERED: Final = 1024
_MATCHES_AT_ONCE: Final = 64
"""The most matches in one write; the first goes out by itself, and the peer can cancel behind each write."""
_FURTHER: Final = {
    level: {tag_for_keyword(keyword) for keyword in keywords} for level, keywords in FURTHER_KEYS.items()
}
_NO_KEYS: Final = frozenset((0x0000, 0x0002, 0x0004, 0x5400, 0x7FE0, 0xFFFE))
"""Groups of commands, of files, of waveforms and of pixels."""
_VRS: Final = {level: list_attributes(level) for level in Level}


class StoredEntities:
    """Fulfils :class:`openmodality.services.query_retrieve.QuerySource` with the local database.

    Raises :class:`ConfigurationError` for a key of the profile that neither the index nor a file has.
    """

    def __init__(self, store: LocalStore, site: Site, trail: AuditTrail | None = None) -> None:
        self._store = store
        self._trail = trail
        self._character_sets = site.character_sets
        self._supported: dict[str, Collection[Path]] = {
            level: frozenset((tag_for_keyword(keyword) or 0,) for keyword in vrs) for level, vrs in _VRS.items()
        }
        for row in site.profile.query_keys:
            if (
                row.role == "SCP"
                and row.path not in self._supported[row.level]
                and not _is_in_files(row.level, row.path)
            ):
                names = " > ".join(map(format_tag, row.path))
                raise ConfigurationError(
                    f"profile {site.profile.name}: query key {names} at {row.level} is none that index or file has",
                    advice="leave it out of query_keys.csv",
                )

    def list_supported(self, level: Level, identifier: Dataset) -> Collection[Path]:
        """What the index keeps of a level and of those above, what is counted below, and what files are asked for."""
        return {*self._supported[level], *_list_paths(_choose_from_files(level, identifier))}

    def find(self, request: FindRequest) -> Iterator[list[bytes]]:
        """The matches, encoded: the first by itself, then more and more at once.

        Raises :class:`Refuse` where too many files would have to be looked into.
        """
        self._note(request)
        asked = _Asked.read(request)
        further = _choose_from_files(request.level, request.identifier)
        with self._store.read() as snapshot:
            ids = read_ids(snapshot, asked.level, asked.texts)
        if len(ids) > MAX_FILES and not is_universal(further):
            raise Refuse(OUT_OF_RESOURCES, f"more than {MAX_FILES} files to look into; give more keys")
        sets = [read_texts(request.identifier, SPECIFIC_CHARACTER_SET), *self._character_sets]
        encoder = MatchEncoder([(tag, vr) for tag, vr, _, _ in asked.returned], request.transfer_syntax, sets)
        fits, looked_into, is_in_index = asked.make_filter(), 0, not further
        batch, enough = list[bytes](), 1
        for page in split_pages(ids):
            with self._store.database.read() as snapshot:
                entities = read_matches(snapshot, asked.level, page, asked.wanted)
                files = {} if is_in_index else read_first_instances(snapshot, asked.level, page)
            for entity in filter(fits, entities):
                if is_in_index:
                    batch.append(encoder.encode(asked.list_texts(entity)))
                    if len(batch) == enough:
                        yield batch
                        batch, enough = [], min(2 * enough, _MATCHES_AT_ONCE)
                    continue
                looked_into += 1
                if looked_into % _FILES_BETWEEN_LOOKS == 0 and request.is_cancelled():
                    raise Refuse(Status.CANCEL, "cancelled as requested")
                head = self._read_file(files.get(entity[f"own_{request.level.lower()}"]), further)
                if matches(further, head):
                    yield [encoder.encode(asked.list_texts(entity), select_requested(further, head))]
        if batch:
            yield batch

    def _note(self, request: FindRequest) -> None:
        """Put the query on record before anything is answered."""
        if self._trail is None:
            return
        partner, syntax = _find_asker(self._trail, request), EXPLICIT_VR_LITTLE_ENDIAN
        if partner is not None:
            asked, uid = encode_data_set(request.identifier, syntax), request.sop_class_uid or STUDY_ROOT_FIND
            self._trail.tell(tell_query(self._trail.who, partner, uid, asked, syntax, asks=False))

    def _read_file(self, sop_instance_uid: str | None, further: Dataset) -> Dataset:
        if sop_instance_uid is None:
            return Dataset()
        return read_some_elements(self._store.files.path(sop_instance_uid), [int(element.tag) for element in further])


def _find_asker(trail: AuditTrail, request: FindRequest) -> Partner | None:
    """The peer that asks, or the user or program that does so over DICOMweb; ``None`` where it is this device."""
    if request.peer is not None:
        peer = request.peer
        return Partner(peer.calling_ae_title.strip(), peer.address, peer.called_ae_title.strip())
    person = trail.who.person
    return None if person is None else Partner(person.name, person.address, is_entity=False)


def _is_in_files(level: Level, path: Path) -> bool:
    """Whether the attribute that a path begins with is one that files answer at a level."""
    tag = path[0]
    if is_private(tag) or tag >> 16 in _NO_KEYS or not keyword_of(tag) or tag in NOT_MATCHED:
        return False
    levels = list(FURTHER_KEYS)
    return level not in levels or any(tag in _FURTHER[upper] for upper in levels[: levels.index(level) + 1])


def _choose_from_files(level: Level, identifier: Dataset) -> Dataset:
    """The part of an identifier that files answer."""
    chosen = Dataset()
    for element in identifier:
        tag = int(element.tag)
        if keyword_of(tag) not in _VRS[level] and tag & 0xFFFF and _is_in_files(level, (tag,)):
            chosen.add(element)
    return chosen


def _list_paths(identifier: Dataset, above: Path = ()) -> Iterator[Path]:
    for element in identifier:
        path = (*above, int(element.tag))
        yield path
        for item in element.value if element.VR == "SQ" else ():
            yield from _list_paths(item, path)


class _Asked(NamedTuple):
    """The part of an identifier that the index answers: its keys that are not universal, and the attributes to return.

    ``returned`` are tag, VR and keyword in the order of the tags; without a keyword the text in its place is returned.
    """

    level: Level
    keys: Mapping[str, tuple[str, Sequence[object]]]
    returned: Sequence[tuple[int, str, str, str]]

    @classmethod
    def read(cls, request: FindRequest) -> _Asked:
        level = request.level
        vrs = _VRS[level]
        keys: dict[str, tuple[str, Sequence[object]]] = {}
        returned: dict[int, tuple[int, str, str, str]] = {}
        for element in request.identifier:
            tag, keyword = int(element.tag), keyword_for_tag(element.tag)
            if tag & 0xFFFF == 0 or tag == SPECIFIC_CHARACTER_SET or (keyword not in vrs and tag not in NOT_MATCHED):
                continue
            vr = vrs.get(keyword) or dictionary()[tag]
            returned[tag] = (tag, vr, keyword if keyword in vrs else "", "")
            wanted = [str(value).strip(PADDING) for value in values_of(element)]
            if tag not in NOT_MATCHED and keyword in vrs and not matches_all(vr, _parse(vr, wanted)):
                keys[keyword] = (vr, wanted)
        for element in request.added:
            returned[int(element.tag)] = (int(element.tag), element.VR, "", str(element.value))
        unique = UNIQUE_KEYS[level]  # which an SCP always returns (PS3.4 C.4.1.1.3.2)
        returned.setdefault(unique, (unique, dictionary()[unique], keyword_for_tag(unique), ""))
        return cls(level, keys, [returned[tag] for tag in sorted(returned)])

    @property
    def texts(self) -> dict[str, list[str]]:
        """The values of the keys, as the database compares them."""
        return {keyword: [str(value) for value in values] for keyword, (_, values) in self.keys.items()}

    @property
    def wanted(self) -> set[str]:
        """The keywords that are matched or returned."""
        return {*self.keys, *(keyword for _, _, keyword, _ in self.returned if keyword)}

    def make_filter(self) -> Callable[[Mapping[str, Any]], bool]:
        """Whether an entity matches all keys (PS3.4 C.2.2.2); what one value was found to be is remembered."""
        tests = [(keyword, _make_test(vr, _parse(vr, wanted))) for keyword, (vr, wanted) in self.keys.items()]
        if len(tests) == 1:  # as most queries; asked for each of thousands
            [(only, fits)] = tests
            return lambda entity: fits(str(entity[only]))
        return lambda entity: all(test(str(entity[keyword])) for keyword, test in tests)

    def list_texts(self, entity: Mapping[str, Any]) -> list[str]:
        """What is returned of an entity, in the order of ``returned``."""
        return [str(entity[keyword]) if keyword else text for _, _, keyword, text in self.returned]


def _make_test(vr: str, wanted: Sequence[object]) -> Callable[[str], bool]:
    @lru_cache(maxsize=_VALUES_REMEMBERED)
    def test(stored: str) -> bool:
        return matches_any(vr, wanted, _parse(vr, [each for each in stored.split("\\") if each]))

    return test


def _parse(vr: str, values: Sequence[object]) -> list[object]:
    """Numbers of VR US as numbers: 5 and 05 are the same."""
    return [int(str(each)) if vr == "US" and str(each).isdecimal() else each for each in values]
