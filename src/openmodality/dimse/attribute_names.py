"""How messages name an attribute: by tag and PS3.6 keyword, never with its value, which may be a patient's."""

from __future__ import annotations

from pydicom.datadict import dictionary_VR, keyword_for_tag

from openmodality.encoding.headers import format_tag
from openmodality.encoding.vr import is_private


def name_of(tag: int) -> str:
    """``(0008,0018) SOPInstanceUID``; the tag alone where PS3.6 has no keyword for it."""
    return f"{format_tag(tag)} {keyword_of(tag)}".rstrip()


def keyword_of(tag: int) -> str:
    """PS3.6 keyword of the tag; empty for a private or unknown one."""
    return keyword_for_tag(tag)


def vr_of(tag: int) -> str:
    """VR of PS3.6, ``US or SS`` where two are possible; empty for a private tag."""
    return "" if is_private(tag) else dictionary_VR(tag)
