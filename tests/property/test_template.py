"""What is put together from encoded parts is byte for byte what building and writing each image gives."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from openmodality.acquisition.keywords import attributes_of
from openmodality.encoding.part10 import encode_file_head
from openmodality.errors import ObjectInvalid
from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.image.image import ImageBuilder
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.store.files.indexed_attributes import INDEXED_TAGS
from tests.made_objects import NAMES, NOW, UIDS, definition_of, exam, worklist

IMPLEMENTATION = ("1.2.3.4", "TEST")
COMMON: dict[str, object] = {
    "ImagePositionPatient": [0, 0, 0],
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "PixelSpacing": [1, 1],
    "SliceThickness": 5,
    "RadiationSetting": "GR",
    "KVP": 80,
}
# Plain ones, texts beyond ASCII, what conditions ask for, optional modules, lists of allowed values, several values.
VARYING: dict[str, st.SearchStrategy[object]] = {
    "ImagePositionPatient": st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3),
    "SliceLocation": st.floats(-1e3, 1e3),
    "EchoTime": st.floats(0, 1e3),
    "EchoNumbers": st.integers(1, 3),
    "ScanningSequence": st.sampled_from(["SE", "GR", "XX"]),
    "ImageType": st.sampled_from([["ORIGINAL", "PRIMARY", "M"], ["DERIVED", "PRIMARY", "P"]]),
    "ImageComments": st.sampled_from(["", "plain", "Größe", "山田", "back\\slash"]),
    "ProtocolName": st.sampled_from(["T1", "T2", "Größe"]),
    "BodyPartExamined": st.sampled_from(["HEAD", "KNEE", ""]),
    "ContrastBolusAgent": st.sampled_from(["", "agent", "Mittel für"]),
    "AcquisitionDate": st.sampled_from(["20260101", "20260102"]),
    "WindowCenter": st.one_of(st.integers(0, 100), st.just([10, 20])),
    "WindowWidth": st.one_of(st.integers(1, 100), st.just([10, 20])),
    "RescaleSlope": st.sampled_from([1, 2]),
    "PhotometricInterpretation": st.sampled_from(["MONOCHROME1", "MONOCHROME2"]),
    "BitsStored": st.sampled_from([12, 16]),
    "KVP": st.integers(40, 120),
    "LossyImageCompression": st.sampled_from(["00", "01"]),
    "Laterality": st.sampled_from(["L", "R"]),
    "ImageLaterality": st.sampled_from(["L", "R"]),
}
PIXELS = st.sampled_from(
    [
        np.arange(6, dtype=np.uint16).reshape(2, 3),
        np.full((2, 3), 4000, np.uint16),
        np.arange(12, dtype=np.uint16).reshape(4, 3),
        np.arange(-3, 3, dtype=np.int16).reshape(2, 3),
        np.full((3, 3, 3), 7, np.uint8),
    ]
)


@st.composite
def images(draw: st.DrawFn) -> list[tuple[Any, dict[str, object]]]:
    """Images of one series: most have the same attributes, with other values."""
    names = draw(st.lists(st.sampled_from(sorted(VARYING)), unique=True, max_size=6))
    made = []
    for _ in range(draw(st.integers(2, 6))):
        chosen = [name for name in names if draw(st.integers(0, 5))]
        made.append((draw(PIXELS), {**COMMON, **{name: draw(VARYING[name]) for name in chosen}}))
    return made


@cache
def parts_of(profile: str, name: str) -> Any:
    definition = definition_of(profile, name)
    series = SeriesFacts("1.2.3", 3, NOW, definition.information_object.modality, frame_of_reference_uid="1.2.4")
    return definition, exam(worklist(NAMES["latin"])), series


def make(profile: str, name: str) -> ImageBuilder:
    return ImageBuilder(*parts_of(profile, name))


def write(data_set: Dataset) -> bytes:
    data_set.file_meta.ImplementationClassUID = UID(IMPLEMENTATION[0])
    data_set.file_meta.ImplementationVersionName = IMPLEMENTATION[1]
    buffer = BytesIO()
    dcmwrite(buffer, data_set, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("profile", "name"),
    [("mr", "MR Image"), ("mr", "SC Image"), ("rf", "RF Image"), ("rf", "SC Image"), ("rf", "CR Image")],
)
@settings(max_examples=settings().max_examples // 4)  # a series of several images each
@given(made=images())
def test_parts_put_together_are_what_building_gives(
    profile: str, name: str, made: list[tuple[Any, dict[str, object]]]
) -> None:
    slow, fast = make(profile, name), make(profile, name)
    for number, (pixels, keywords) in enumerate(made, 1):
        instance = InstanceFacts(UIDS(), number, NOW + timedelta(seconds=number, hours=number * 7))
        try:
            attributes = attributes_of(keywords, "image")
            expected = write(slow.build(instance, pixels, attributes))
        except ObjectInvalid:
            with pytest.raises(ObjectInvalid):
                fast.encode(instance, pixels, attributes_of(keywords, "image"))
            continue
        encoded, _ = fast.encode(instance, pixels, attributes)
        uids = encoded.read_uid(0x00080016), encoded.read_uid(0x00080018)
        head = encode_file_head(*uids, EXPLICIT_VR_LITTLE_ENDIAN, *IMPLEMENTATION)
        looked_for = (INDEXED_TAGS, frozenset({0x00080018}), frozenset[int](), frozenset({0x00181310}))
        for tags in looked_for:
            each = {tag: value for tag in tags if (value := encoded.find_value(tag)) is not None}
            assert encoded.find_values(tags) == each
        assert b"".join([head, *encoded.parts]) == expected


def test_images_that_differ_in_place_alone_are_built_once() -> None:
    builder = make("mr", "MR Image")
    built = []
    for number in range(1, 6):
        attributes = attributes_of({**COMMON, "ImagePositionPatient": [0, 0, number]}, "image")
        encoded, data_set = builder.encode(
            InstanceFacts(UIDS(), number, datetime.now()), np.ones((2, 2), np.uint16), attributes
        )
        built.append(data_set is not None)
        assert encoded.find_value(0x00200013) == f"{number} ".encode()
    assert built == [True, False, False, False, False]


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 100, "WindowWidth": 200}])
def test_an_image_that_differs_in_little_follows_the_one_before(
    window: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, fast = make("mr", "MR Image"), make("mr", "MR Image")
    whole = count_calls(fast, monkeypatch)
    pixels = [np.full((2, 2), value, np.uint16) for value in (3000, 2500, 2100, 5000, 4100, 0, 4200)]
    echo_times = (10, 10, 10, 10, 20, 30, 30)
    for number, (frame, echo_time) in enumerate(zip(pixels, echo_times, strict=True), 1):
        place = {"ImagePositionPatient": [0, 0, number], "EchoTime": echo_time}
        attributes = attributes_of({**COMMON, **window, **place}, "image")
        instance = InstanceFacts(UIDS(), number, NOW + timedelta(seconds=number))
        encoded, _ = fast.encode(instance, frame, attributes)
        assert write(slow.build(instance, frame, attributes)).endswith(b"".join(encoded.parts))
    # The first, the fourth, which needs more bits, and the sixth and the one after it, which need others than before.
    assert whole == [1, 4, 6, 7]


@pytest.mark.parametrize(
    ("profile", "name", "keyword", "values"),
    [
        ("mr", "MR Image", "BitsStored", (16, 12)),
        ("mr", "MR Image", "ImageType", (["ORIGINAL", "PRIMARY", "M"], ["DERIVED", "PRIMARY"])),
        ("mr", "MR Image", "TimezoneOffsetFromUTC", ("+0100", "+0200")),
        ("mr", "MR Image", "AcquisitionTime", ("101010", "111111")),
        ("mr", "MR Image", "RescaleSlope", (1, 2)),
        ("mr", "MR Image", "Rows", (2, 7)),
        ("mr", "SC Image", "PhotometricInterpretation", ("MONOCHROME2", "MONOCHROME1")),
        ("rf", "RF Image", "PhotometricInterpretation", ("MONOCHROME2", "MONOCHROME1")),
    ],
)
def test_what_other_attributes_depend_on_is_not_only_exchanged(
    profile: str, name: str, keyword: str, values: tuple[object, object]
) -> None:
    slow, fast = make(profile, name), make(profile, name)
    pixels = np.arange(4, dtype=np.uint16).reshape(2, 2)
    for number, value in enumerate((*values, values[0]), 1):
        attributes = attributes_of({**COMMON, keyword: value}, "image")
        instance = InstanceFacts(UIDS(), number, NOW)
        try:
            expected = write(slow.build(instance, pixels, attributes))
        except ObjectInvalid:
            with pytest.raises(ObjectInvalid):
                fast.encode(instance, pixels, attributes)
            continue
        assert expected.endswith(b"".join(fast.encode(instance, pixels, attributes)[0].parts)), number


def count_calls(builder: ImageBuilder, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which images, by their Instance Numbers, were encoded with all that is known of them."""
    instances: Any = vars(builder)["_instances"]
    encode, numbers = instances.encode, []

    def encode_and_count(acquisition: Any, automatic: Any) -> Any:
        numbers.append(int(next(each.value for each in automatic.values() if each.keyword == "InstanceNumber")))
        return encode(acquisition, automatic)

    monkeypatch.setattr(instances, "encode", encode_and_count)
    return numbers
