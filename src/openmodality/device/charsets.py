"""Chooses (0008,0005) Specific Character Set: the smallest configured one that holds all text of a data set.

A character set is the tuple of its defined terms (PS3.3 C.12.1.1.2): ``()`` is the default repertoire,
``("", "ISO 2022 IR 87")`` the default repertoire with code extensions to kanji. Images, reports, performed procedure
steps and queries all choose here, among ``Site.character_sets``.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from openmodality.device.item_values import find_element_with_value
from openmodality.device.paths import TagPath
from openmodality.device.profile.profile import CharacterSetEntry
from openmodality.dimse.attribute_names import name_of
from openmodality.dimse.reading import read_element, values_of
from openmodality.dimse.repertoires import holds
from openmodality.encoding.texts import TEXT_VRS
from openmodality.standard.character_sets import UTF_8
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET

CharacterSetTerms: TypeAlias = tuple[str, ...]

_log = logging.getLogger(__name__)

_CONTROLS: Final = frozenset("\t\n\f\r")


def choose_terms(texts: Iterable[str], configured: Sequence[CharacterSetTerms]) -> CharacterSetTerms:
    """The first of the configured character sets that holds all texts.

    Where none does, UTF-8: a name that arrives whole at most peers is better than one that has lost its characters.
    """
    characters = set().union(*texts) - _CONTROLS
    for terms in configured:
        if holds(terms, characters):
            return terms
    names = " or ".join("\\".join(terms) or "ASCII" for terms in configured)
    notice = f"text that is not in {names or 'ASCII'} goes as UTF-8; name its set under device.character_sets"
    _log.warning("charset.text_goes_as_utf_8", extra={"notice": notice})
    return (UTF_8,)


def choose_terms_for(data_set: Dataset, configured: Sequence[CharacterSetTerms]) -> CharacterSetTerms:
    """The character set for all text of a data set, that in sequences included."""
    return choose_terms((text for _, text in _walk_texts(data_set)), configured)


def declare(
    data_set: Dataset, configured: Sequence[CharacterSetTerms], listed: Collection[TagPath] = ()
) -> CharacterSetTerms:
    """Set Specific Character Set (0008,0005) of a data set to the one that its text needs, if any.

    ``listed`` are the attributes in which the device uses another repertoire than the default one (R/F Table 6-1), none
    for all. Text of others is sent as well, and noted in the log.
    """
    return _declare(data_set, choose_terms_for(data_set, configured), listed)


def declare_for_both(
    data_set: Dataset, earlier: Dataset, configured: Sequence[CharacterSetTerms], listed: Collection[TagPath] = ()
) -> CharacterSetTerms:
    """Set Specific Character Set of a data set that a peer adds to an ``earlier`` one, as an N-SET to its N-CREATE.

    The peer may keep the later declaration for both, and the bytes of the earlier as they are. So it is that of the
    earlier data set where it holds the text of the later, even where that is ASCII; else one that holds all text.
    """
    declared = _read_terms(earlier)
    texts = [text for _, text in _walk_texts(data_set)]
    if not holds(declared, set().union(*texts) - _CONTROLS):
        declared = choose_terms([*texts, *(text for _, text in _walk_texts(earlier))], configured)
    return _declare(data_set, declared, listed)


def _declare(data_set: Dataset, terms: CharacterSetTerms, listed: Collection[TagPath]) -> CharacterSetTerms:
    if any(terms):
        data_set.SpecificCharacterSet = list(terms) if len(terms) > 1 else terms[0]
        _note_unlisted(data_set, terms, listed)
    else:
        data_set.pop("SpecificCharacterSet", None)
    return terms


def _read_terms(data_set: Dataset) -> CharacterSetTerms:
    found = read_element(data_set, SPECIFIC_CHARACTER_SET)
    return tuple(str(term or "") for term in values_of(found)) if found is not None else ()


def _note_unlisted(data_set: Dataset, terms: CharacterSetTerms, listed: Collection[TagPath]) -> None:
    outside = find_outside(data_set, listed) if listed else ()
    if outside:
        names = ", ".join(dict.fromkeys(name_of(path[-1]) for path in outside))
        _log.warning("charset.attribute_not_listed", extra={"attributes": names, "character_set": "\\".join(terms)})


def find_unsupported(terms: CharacterSetTerms, known: Sequence[CharacterSetEntry]) -> str:
    """The first term that a device with the table ``known`` does not support; empty where it supports all."""
    supported = {entry.term for entry in known}
    return next((repr(term) for term in terms if known and term not in supported), "")


def find_lone(terms: CharacterSetTerms, known: Sequence[CharacterSetEntry]) -> str:
    """The first of several terms that the device does not use with code extensions; empty where there is none."""
    lone = {entry.term for entry in known if entry.term and not entry.code_extensions}
    return next((repr(term) for term in terms if len(terms) > 1 and term in lone), "")


def list_unheld(data_set: Dataset, terms: CharacterSetTerms) -> tuple[TagPath, ...]:
    """The attributes whose text the character set does not hold, each once."""
    found = list(_walk_texts(data_set))
    if holds(terms, set().union(*(text for _, text in found)) - _CONTROLS):  # usually: letters come again and again
        return ()
    return tuple(dict.fromkeys(path for path, text in found if not holds(terms, set(text) - _CONTROLS)))


def find_outside(data_set: Dataset, table: Iterable[TagPath]) -> tuple[TagPath, ...]:
    """The attributes that hold more than ASCII and are not in the table (R/F Table 6-1, GB18030), each once."""
    allowed = {path[-1] for path in table}
    found = (path for path, text in _walk_texts(data_set) if path[-1] not in allowed and not text.isascii())
    return tuple(dict.fromkeys(found))


def _walk_texts(data_set: Dataset, above: TagPath = ()) -> Iterator[tuple[TagPath, str]]:
    for tag in map(int, list(data_set.keys())):
        found = find_element_with_value(data_set, tag)
        if found is None:
            continue
        path = (*above, tag)
        if found.VR == "SQ":
            for item in found.value:
                yield from _walk_texts(item, path)
        elif found.VR in TEXT_VRS:
            values = found.value if isinstance(found.value, MultiValue) else [found.value]
            yield from ((path, str(value)) for value in values)
