"""Which record stands for which instance, and that its keys stand in the order of tags."""

from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR
from pydicom.uid import (
    BasicTextSRStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    KeyObjectSelectionDocumentStorage,
    MRImageStorage,
    XRayRadiationDoseSRStorage,
)

from openmodality.media.records import KEYS, RecordType, record_type_of


@pytest.mark.parametrize(
    ("sop_class", "record_type"),
    [
        (MRImageStorage, RecordType.IMAGE),
        (XRayRadiationDoseSRStorage, RecordType.SR_DOCUMENT),
        (BasicTextSRStorage, RecordType.SR_DOCUMENT),
        (KeyObjectSelectionDocumentStorage, RecordType.KEY_OBJECT),
        (GrayscaleSoftcopyPresentationStateStorage, RecordType.PRESENTATION),
    ],
)
def test_each_sop_class_has_its_type_of_record(sop_class: str, record_type: RecordType) -> None:
    assert record_type_of(sop_class) is record_type


@pytest.mark.parametrize("record_type", KEYS)
def test_keys_stand_in_order_with_their_vr(record_type: RecordType) -> None:
    keys = KEYS[record_type]
    assert [key.tag for key in keys] == sorted({key.tag for key in keys})
    assert all(key.vr == dictionary_VR(key.tag) for key in keys)
    assert {key.kind for key in keys} <= {"1", "1C", "2", "3"}
