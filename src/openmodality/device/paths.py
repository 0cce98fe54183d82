"""Paths of attributes through sequences: ``ScheduledProcedureStepSequence>ScheduledProcedureStepID``.

A path is a tuple of tags from the data set's root to the attribute; item numbers are no part of it. It is written
with PS3.6 keywords or with tags (``0040,0100>0040,0009``), joined by ``>``.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from pydicom.datadict import tag_for_keyword

from openmodality.dimse.attribute_names import keyword_of, name_of, vr_of
from openmodality.encoding.headers import format_tag
from openmodality.encoding.vr import is_private

TagPath: TypeAlias = tuple[int, ...]

_TAG = re.compile(r"([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})")


def parse_path(text: str) -> TagPath:
    """The path that ``text`` names.

    Raises :class:`ValueError` where a part is wrong, and names it: an unknown keyword or tag, or an attribute with
    parts below it that is no sequence.
    """
    path = tuple(_parse_part(part) for part in text.split(">"))
    for tag in path[:-1]:
        if vr_of(tag) != "SQ":
            raise ValueError(f"{name_of(tag)} is no sequence, so nothing can be inside it")
    return path


def _parse_part(part: str) -> int:
    part = part.strip()
    if match := _TAG.fullmatch(part):
        tag = int(match[1] + match[2], 16)
        if not is_private(tag) and not keyword_of(tag):
            raise ValueError(f"({part}) is no attribute of PS3.6")
        return tag
    found = tag_for_keyword(part) if part else None  # pydicom knows retired attributes without a keyword
    if found is None:
        raise ValueError(f"{part!r} is neither a PS3.6 keyword nor a tag gggg,eeee")
    return found


def format_path(path: TagPath) -> str:
    """The path in tags: ``0040,0100>0040,0009``."""
    return ">".join(format_tag(tag).strip("()") for tag in path)


def format_keywords(path: TagPath) -> str:
    """The path in keywords, a tag where there is none: ``ScheduledProcedureStepSequence>ScheduledProcedureStepID``."""
    return ">".join(keyword_of(tag) or format_path((tag,)) for tag in path)
