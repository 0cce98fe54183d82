"""Identifier matching: does an entity match the keys of a query, and what of it is returned? PS3.4 C.2.2.2.

Rules: a key of zero length matches everything (universal), and so does a US of 0: some toolkits cannot send a number of
zero length, and no attribute of VR US that is asked for has a meaning for 0. DA, TM and DT match a range; one value of
lesser precision stands for all that it denotes. ``*`` and ``?`` are wildcards in the VRs of :data:`WILDCARD_VRS`; ``*``
alone is universal. UI matches any of a list. A sequence key matches when one item matches all keys of its item.
Everything else matches a single value; padding does not count. Person names are compared as decoded text, without
regard to case, accents, delimiters at the end or the character set; a key of one component group matches any group of
the name. A key other than universal does not match an entity that has no value there. What the SCP does not support is
neither matched nor returned.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from copy import deepcopy
from typing import Final

from pydicom import Dataset
from pydicom.dataelem import DataElement

from openmodality.dimse.moments import matches_moment
from openmodality.dimse.reading import PADDING, read_items, values_of
from openmodality.dimse.repertoires import declare_readable
from openmodality.query.identifier import Path
from openmodality.standard.tags import (
    INSTANCE_AVAILABILITY,
    QUERY_RETRIEVE_LEVEL,
    RETRIEVE_AE_TITLE,
    SPECIFIC_CHARACTER_SET,
    TIMEZONE_OFFSET_FROM_UTC,
)
from openmodality.standard.text_rules import fold_name_group
from openmodality.standard.vr_groups import MOMENT_VRS, WILDCARD_VRS

NOT_MATCHED: Final = frozenset(
    {SPECIFIC_CHARACTER_SET, QUERY_RETRIEVE_LEVEL, RETRIEVE_AE_TITLE, INSTANCE_AVAILABILITY, TIMEZONE_OFFSET_FROM_UTC}
)
"""Attributes that are no keys: they say how to read the identifier or what is returned, not which entities match."""

Supported = Collection[Path] | None
"""Paths of the keys that an SCP supports; ``None`` for all."""


def matches(identifier: Dataset, candidate: Dataset, supported: Supported = None, *, above: Path = ()) -> bool:
    """Whether the candidate matches all supported keys of the identifier."""
    for key in identifier:
        path = (*above, int(key.tag))
        if key.tag in NOT_MATCHED or key.tag.element == 0 or not is_supported(path, supported):
            continue
        if not (_matches_sequence(key, candidate, supported, path) if key.VR == "SQ" else _matches_key(key, candidate)):
            return False
    return True


def is_supported(path: Path, supported: Supported) -> bool:
    """Whether a key, or one inside it, is supported."""
    return supported is None or any(known[: len(path)] == path for known in supported)


def has_unsupported(identifier: Dataset, supported: Supported, *, above: Path = ()) -> bool:
    """Whether the identifier asks for anything that is not supported; the answer is then Pending FF01H."""
    for key in identifier:
        path = (*above, int(key.tag))
        if key.tag.element != 0 and not (path[-1] in NOT_MATCHED or is_supported(path, supported)):
            return True
        if any(has_unsupported(item, supported, above=path) for item in read_items(identifier, key.tag)):
            return True
    return False


def select_requested(
    identifier: Dataset, candidate: Dataset, supported: Supported = None, *, above: Path = ()
) -> Dataset:
    """What of the candidate is returned: the keys that were asked for, of zero length where it has no value.

    A sequence that was asked for without naming keys inside is returned whole. Specific Character Set always comes
    along, and is UTF-8 where the text cannot be written in that of the candidate.
    """
    result = Dataset()
    if SPECIFIC_CHARACTER_SET in candidate:
        result.add(candidate[SPECIFIC_CHARACTER_SET])
    for key in identifier:
        path = (*above, int(key.tag))
        if key.tag.element == 0 or not (path[-1] in NOT_MATCHED or is_supported(path, supported)):
            continue
        if key.tag not in candidate:
            if key.tag != SPECIFIC_CHARACTER_SET:
                result.add(DataElement(key.tag, key.VR, [] if key.VR == "SQ" else None))
        elif key.VR == "SQ":
            result.add(_select_items(key, candidate, supported, path))
        else:
            result.add(candidate[key.tag])
    if not above:
        declare_readable(result)
    return result


def _select_items(key: DataElement, candidate: Dataset, supported: Supported, path: Path) -> DataElement:
    inner = key.value[0] if key.value else Dataset()
    if not inner:
        return deepcopy(candidate[key.tag])
    found = [select_requested(inner, item, supported, above=path) for item in read_items(candidate, key.tag)]
    return DataElement(key.tag, "SQ", found)


def _matches_sequence(key: DataElement, candidate: Dataset, supported: Supported, path: Path) -> bool:
    if not key.value or is_universal(key.value[0], supported, above=path):
        return True
    return any(matches(key.value[0], item, supported, above=path) for item in read_items(candidate, key.tag))


def is_universal(identifier: Dataset, supported: Supported = None, *, above: Path = ()) -> bool:
    """Whether an identifier matches everything, because no supported key has a value."""
    return matches(identifier, Dataset(), supported, above=above)


def _matches_key(key: DataElement, candidate: Dataset) -> bool:
    wanted = values_of(key)
    if matches_all(key.VR, wanted):
        return True
    if key.tag not in candidate or candidate[key.tag].VR == "SQ":
        return False
    return matches_any(key.VR, wanted, values_of(candidate[key.tag]))


def matches_any(vr: str, wanted: Sequence[object], values: Sequence[object]) -> bool:
    """Whether one of the values of an attribute matches one of a key, which is not universal."""
    return any(_matches_value(vr, one, value) for value in values for one in wanted)


def matches_all(vr: str, wanted: Sequence[object]) -> bool:
    """Whether a key with these values matches everything (universal matching)."""
    return (
        not wanted
        or (vr == "US" and not any(wanted))
        or (vr in WILDCARD_VRS and any(set(str(value)) == {"*"} for value in wanted))
    )


def _matches_value(vr: str, key: object, value: object) -> bool:
    if not isinstance(key, str) and vr not in ("PN", "DS", "IS"):
        return key == value
    if vr in ("DS", "IS"):
        return _read_number(key) == _read_number(value)
    key_text, text = str(key).strip(PADDING), str(value).strip(PADDING)
    if vr == "PN":
        return matches_name(key_text, text)
    if vr in MOMENT_VRS:
        return matches_moment(vr, key_text, text)
    return matches_wildcard(key_text, text) if vr in WILDCARD_VRS else key_text == text


def _read_number(value: object) -> float | str:
    try:
        return float(str(value))
    except ValueError:
        return str(value).strip(PADDING)


def matches_name(key: str, name: str) -> bool:
    """Person name matching (PS3.4 C.2.2.2.1, PS3.5 6.2.1)."""
    wanted, groups = (list(map(fold_name_group, text.split("="))) for text in (key, name))
    if len(wanted) == 1:
        return any(matches_wildcard(wanted[0], group) for group in groups)
    groups += [""] * (len(wanted) - len(groups))
    return all(matches_wildcard(one, group) for one, group in zip(wanted, groups, strict=False) if one)


def matches_wildcard(pattern: str, text: str) -> bool:
    """``*`` stands for any characters, ``?`` for one; steps stay below len(pattern) * len(text) for every pattern."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    at, behind, star, resume = 0, 0, -1, 0
    while behind < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, resume = at, behind
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[behind]):
            at, behind = at + 1, behind + 1
        elif star >= 0:
            resume += 1
            at, behind = star + 1, resume
        else:
            return False
    return re.fullmatch(r"\**", pattern[at:]) is not None
