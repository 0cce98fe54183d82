"""Building the identifier of a query from rows of keys (PS3.4 C.2.2.1, K.2.2.1).

A row names where a key stands: the path (0040,0100) > (0008,0060) is the Modality in the one item of the Scheduled
Procedure Step Sequence. A key without a value is sent with zero length: it asks for the value and matches everything
(universal matching). Some peers read an empty key as a condition, so that each key, and all below it, can be left out
for such a peer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from pydicom import Dataset, config
from pydicom.dataelem import DataElement

from openmodality.dimse.reading import iterate_elements, values_of
from openmodality.dimse.repertoires import holds
from openmodality.encoding.headers import format_tag
from openmodality.encoding.texts import TEXT_VRS
from openmodality.encoding.vr import dictionary
from openmodality.errors import ObjectInvalid, UsageError
from openmodality.standard.character_sets import LATIN_1, UTF_8
from openmodality.standard.tags import SPECIFIC_CHARACTER_SET
from openmodality.standard.text_rules import MULTI_LINE_VRS, clean_text
from openmodality.standard.value_rules import RIGHT_FORMS, mend_value
from openmodality.standard.vr_groups import MOMENT_VRS
from openmodality.value_class import dataclass

Path = tuple[int, ...]
"""Where an attribute stands: the tags of the sequences around it, from outside in, and its own tag."""

CharacterSetValue = str | Sequence[str]
"""The value of Specific Character Set (0008,0005), several where code extensions are used."""

CHARACTER_SETS: Final[tuple[CharacterSetValue, ...]] = (LATIN_1, UTF_8)


@dataclass(frozen=True, slots=True)
class Key:
    """One matching or return key; an empty ``vr`` is that of PS3.6."""

    path: Path
    vr: str = ""


def identifier(
    keys: Iterable[Key],
    values: Mapping[Path, object] | None = None,
    *,
    omitted: Collection[Path] = (),
    character_sets: Sequence[CharacterSetValue] = CHARACTER_SETS,
) -> Dataset:
    """The identifier with these keys; ``values`` may name further ones, ``omitted`` ones stay out with all below them.

    Specific Character Set is added only where a value needs one: the first of ``character_sets`` that holds all
    values. Raises :class:`ObjectInvalid` where none does and :class:`UsageError` for a value that its VR cannot hold.
    """
    given = values or {}
    wanted = {key.path: key.vr for key in (*keys, *(Key(path) for path in given))}
    result = Dataset()
    for path in sorted(wanted):
        if path[0] != SPECIFIC_CHARACTER_SET and not any(path[: len(out)] == out for out in omitted):
            _place(result, path, _make_element(path[-1], wanted[path], given.get(path)))
    _declare_character_set(result, character_sets)
    return result


def _make_element(tag: int, vr: str, value: object) -> DataElement:
    vr = vr or dictionary()[tag].split(" or ")[0]
    try:
        if value in (None, ""):
            value = [] if vr == "SQ" else None
        elif isinstance(value, str):
            value = "\\".join(_mend_key(tag, vr, text) for text in value.split("\\"))
        return DataElement(tag, vr, value, validation_mode=config.IGNORE)
    except (TypeError, ValueError) as error:
        raise UsageError(f"key {format_tag(tag)}: its value is no {vr}") from error


def _mend_key(tag: int, vr: str, text: str) -> str:
    """A value of a key, mended where it can mean one thing only.

    A moment that cannot be mended stays, since it may be a range or what a peer alone understands; a text may be too
    long, since what it is to match may be so. Raises :class:`UsageError` for another number, and for control
    characters.
    """
    if vr in MOMENT_VRS:
        return text if "-" in text else mend_value(vr, text).text or text
    if vr in ("DS", "IS"):
        mended = mend_value(vr, text)
        if mended.text is None:
            raise UsageError(
                f"key {format_tag(tag)}: its value is no {vr}, but {mended.problem}; give {RIGHT_FORMS[vr]}"
            )
        return mended.text
    if vr in TEXT_VRS and clean_text(text, lines=vr in MULTI_LINE_VRS) != text:
        raise UsageError(f"key {format_tag(tag)}: its value has a control character")
    return text


def _place(data_set: Dataset, path: Path, element: DataElement) -> None:
    for tag in path[:-1]:
        if tag not in data_set or not data_set[tag].value:
            data_set.add_new(tag, "SQ", [Dataset()])
        data_set = data_set[tag].value[0]
    if element.VR != "SQ" or path[-1] not in data_set:
        data_set.add(element)


def _declare_character_set(data_set: Dataset, character_sets: Sequence[CharacterSetValue]) -> None:
    foreign = {
        element.tag: text for element in iterate_elements(data_set) if not (text := _read_text(element)).isascii()
    }
    if not foreign:
        return
    characters = set().union(*foreign.values())
    for character_set in character_sets:
        terms = (character_set,) if isinstance(character_set, str) else character_set
        if holds(terms, characters):
            data_set.SpecificCharacterSet = character_set
            return
    tags = ", ".join(format_tag(tag) for tag in foreign)
    raise ObjectInvalid(
        f"no character set of this peer holds the text of {tags}", advice="let the site allow another one"
    )


def _read_text(element: DataElement) -> str:
    return "" if element.VR == "SQ" else "".join(str(value) for value in values_of(element))
