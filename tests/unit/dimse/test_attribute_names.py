"""How an attribute is named in a message."""

from __future__ import annotations

import pytest

from openmodality.dimse.attribute_names import keyword_of, name_of, vr_of


@pytest.mark.parametrize(
    ("tag", "name", "keyword", "vr"),
    [
        (0x00080018, "(0008,0018) SOPInstanceUID", "SOPInstanceUID", "UI"),
        (0x00280106, "(0028,0106) SmallestImagePixelValue", "SmallestImagePixelValue", "US or SS"),
        (0x20051429, "(2005,1429)", "", ""),
    ],
)
def test_an_attribute_is_named_by_tag_and_keyword(tag: int, name: str, keyword: str, vr: str) -> None:
    assert (name_of(tag), keyword_of(tag), vr_of(tag)) == (name, keyword, vr)
