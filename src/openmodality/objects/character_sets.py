"""Choosing (0008,0005) Specific Character Set: the first of the device's sets that holds every text of a data set.

PS3.3 C.12.1.1.2, PS3.5 6.1. What a defined term can hold is decided character by character, because codecs of the same
name hold more than the repertoire of DICOM does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from openmodality.device.paths import name_of
from openmodality.errors import ConfigurationError, ObjectInvalid

CharacterSet = tuple[str, ...]
Repertoire = Callable[[str], bool]

TEXT_VRS = frozenset({"SH", "LO", "ST", "LT", "UT", "UC", "PN"})
DEFAULT_TERMS = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
KATAKANA = range(0xFF61, 0xFFA0)
ESCAPE_TO_KANJI = b"\x1b$B"


def choose(data_set: Dataset, character_sets: Sequence[CharacterSet]) -> CharacterSet:
    """The first of ``character_sets`` that holds all texts of ``data_set``; the empty set is the default repertoire.

    Raises:
        ObjectInvalid: none does; the attributes are named, their values are not.
    """
    texts = list(texts_of(data_set))
    for character_set in character_sets:
        if all(holds(character_set, text) for _, text in texts):
            return character_set
    unheld = [{tag for tag, text in texts if not holds(character_set, text)} for character_set in character_sets]
    fewest = min(unheld, key=len) if unheld else set()
    names = ", ".join(name_of(tag) for tag in sorted(fewest))
    raise ObjectInvalid(
        f"no configured character set holds the text of {names}",
        advice="Enable another character set, such as ISO_IR 192 (UTF-8), for this site.",
    )


def apply(data_set: Dataset, character_set: CharacterSet) -> None:
    """Set or remove Specific Character Set (0008,0005)."""
    if character_set in ((), ("",)):
        data_set.pop("SpecificCharacterSet", None)
    else:
        data_set.SpecificCharacterSet = list(character_set) if len(character_set) > 1 else character_set[0]


def texts_of(data_set: Dataset) -> Iterator[tuple[int, str]]:
    """Tag and text of every value that Specific Character Set governs, items of sequences included."""
    for element in data_set:
        if element.VR == "SQ":
            for item in element.value:
                yield from texts_of(item)
        elif element.VR in TEXT_VRS and not element.is_empty:
            values = element.value if isinstance(element.value, MultiValue) else [element.value]
            yield from ((int(element.tag), str(value)) for value in values)


def holds(character_set: CharacterSet, text: str) -> bool:
    """Whether each character of ``text`` is in one of the terms' repertoires."""
    if text.isascii():
        # A backslash and a tilde are other characters in JIS X 0201, which ISO_IR 13 has in place of ASCII.
        return "ISO_IR 13" not in character_set or not set(text) & {"\\", "~"}
    repertoires = [repertoire(term) for term in character_set] or [str.isascii]
    return all(character.isascii() or any(has(character) for has in repertoires) for character in text)


def repertoire(term: str) -> Repertoire:
    """Which characters a defined term of Specific Character Set holds.

    Raises:
        ConfigurationError: DICOM defines no such term.
    """
    if term in DEFAULT_TERMS:
        return str.isascii
    known = _SPECIAL.get(term)
    if known is not None:
        return known
    codec = python_encoding.get(term)
    if codec is None:
        raise ConfigurationError(f"character set {term!r} is not a defined term of (0008,0005) Specific Character Set")
    return lambda character: _encodes(character, codec)


def _encodes(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _is_katakana(character: str) -> bool:
    return ord(character) in KATAKANA


def _is_jis_x_0208(character: str) -> bool:
    return _encodes(character, "iso2022_jp") and character.encode("iso2022_jp").startswith(ESCAPE_TO_KANJI)


def _is_any(character: str) -> bool:
    return True


_SPECIAL: Mapping[str, Repertoire] = {
    "ISO_IR 13": _is_katakana,
    "ISO 2022 IR 13": _is_katakana,
    "ISO 2022 IR 87": _is_jis_x_0208,
    "ISO_IR 192": _is_any,
    "GB18030": _is_any,
}
