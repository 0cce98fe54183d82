"""Attributes of an image that contradict one another."""

from __future__ import annotations

from typing import Any

import pytest

from openmodality.errors import ObjectInvalid
from openmodality.objects.image.consistency import check_consistency, is_asked
from openmodality.objects.rules.elements import data_set_of

COLOURS = ("Red", "Green", "Blue")


def make_palette(**changed: Any) -> dict[str, Any]:
    palette: dict[str, Any] = {f"{colour}PaletteColorLookupTableDescriptor": [4, 0, 16] for colour in COLOURS}
    palette |= {f"{colour}PaletteColorLookupTableData": b"\0" * 8 for colour in COLOURS}
    return {name: value for name, value in {**palette, **changed}.items() if value is not None}


GROUP = [data_set_of(MRModifierSequence=[data_set_of(Spoiling="RF")])]


@pytest.mark.parametrize(
    "said",
    [
        {"EchoTime": 1},
        make_palette(),
        {"FrameIncrementPointer": 0x00181060, "TriggerTime": 3},
        {"SharedFunctionalGroupsSequence": GROUP},
        {"SharedFunctionalGroupsSequence": GROUP, "PerFrameFunctionalGroupsSequence": [data_set_of(EchoTime=1)]},
    ],
)
def test_what_fits_together_passes(said: dict[str, Any]) -> None:
    check_consistency("MR Image", data_set_of(**said))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            make_palette(GreenPaletteColorLookupTableData=None),
            "GreenPaletteColorLookupTableData is missing",
        ),
        (make_palette(BluePaletteColorLookupTableData=b"12"), "has not the 4 entries of its descriptor"),
        (make_palette(RedPaletteColorLookupTableDescriptor=[4, 0, 12]), "says neither 8 nor 16 bits"),
        (
            make_palette(RedPaletteColorLookupTableDescriptor=[8, 0, 8]),
            "(0028,1101) RedPaletteColorLookupTableDescriptor differs from that of another colour",
        ),
        ({"FrameIncrementPointer": 0x00181063}, "names (0018,1063) FrameTime, which is not given"),
        (
            {"SharedFunctionalGroupsSequence": GROUP, "PerFrameFunctionalGroupsSequence": GROUP},
            "(0018,9115) MRModifierSequence is in the shared and in the per-frame functional groups",
        ),
        ({"PerFrameFunctionalGroupsSequence": GROUP * 2}, "has 2 items, and the image one frame"),
    ],
)
def test_what_contradicts_itself_is_refused(said: dict[str, Any], words: str) -> None:
    data_set = data_set_of(**said)
    assert is_asked(data_set)
    with pytest.raises(ObjectInvalid) as caught:
        check_consistency("MR Image", data_set)
    assert words in caught.value.message
    assert caught.value.tag
