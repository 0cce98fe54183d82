"""The images of a volume: its axes, its fourth axis, its frames one by one, and what is no volume."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.stack import make_stack
from openmodality.acquisition.volume import Volume
from openmodality.errors import ObjectInvalid

SHEARED = np.array([[1.0, 0.01, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])


def make_array(*shape: int) -> Any:
    return np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)


def first_pixels(volume: Volume) -> list[int]:
    return [int(pixels.flat[0]) for _, pixels in sorted(make_stack(volume).frames, key=lambda each: each[0])]


def test_a_fourth_axis_is_first_before_k_and_last_after_it() -> None:
    first, last = make_array(2, 3, 4, 5), make_array(5, 4, 3, 2)
    assert make_stack(Volume(array=first)).shape == (6, 4, 5)
    assert make_stack(Volume(array=last, axes="ijk")).shape == (6, 4, 5)
    assert first_pixels(Volume(array=first)) == [first[t, k, 0, 0] for t in range(2) for k in range(3)]
    assert first_pixels(Volume(array=last, axes="ijk")) == [last[0, 0, k, t] for t in range(2) for k in range(3)]


def test_a_list_of_values_belongs_to_the_positions_or_to_the_slices() -> None:
    keywords = {
        "EchoTime": [10, 20],
        "TriggerTime": [1, 2, 3],
        "RepetitionTime": 500,
        "ImageType": ["ORIGINAL", "PRIMARY"],
    }
    stack = make_stack(Volume(array=make_array(2, 3, 4, 5), dimension="echo", keywords=keywords))
    assert [float(each.EchoTime) for each in stack.own] == [10] * 3 + [20] * 3
    assert [int(each.EchoNumbers) for each in stack.own] == [1] * 3 + [2] * 3
    assert [float(each.TriggerTime) for each in stack.own] == [1, 2, 3] * 2
    assert (stack.shared.RepetitionTime, list(stack.shared.ImageType)) == (500, ["ORIGINAL", "PRIMARY"])


def test_values_of_slices_go_with_their_slices_where_these_are_reversed() -> None:
    affine = np.diag([1.0, 1.0, -1.0, 1.0])
    stack = make_stack(Volume(array=make_array(3, 4, 5), affine=affine, keywords={"TriggerTime": [1, 2, 3]}))
    assert [float(each.TriggerTime) for each in stack.own] == [3, 2, 1]
    assert [float(each.ImagePositionPatient[2]) for each in stack.own] == [-2, -1, 0]


def test_frames_one_by_one_are_as_an_array_of_them() -> None:
    array, affine = make_array(2, 3, 4, 5), np.diag([-1.0, 2.0, -3.0, 1.0])
    one_by_one = make_stack(
        Volume(array=(frame for part in array for frame in part), shape=array.shape, affine=affine, dimension="time")
    )
    whole = make_stack(Volume(array=array, affine=affine, dimension="time"))
    assert one_by_one.own == list(whole.own)
    frames = dict(one_by_one.frames)
    assert all(np.array_equal(frames[number], pixels) for number, pixels in whole.frames)


def test_colour_is_never_split_into_slices() -> None:
    stack = make_stack(Volume(array=np.zeros((4, 5, 3), np.uint8)))
    assert (stack.shape, [pixels.shape for _, pixels in stack.frames]) == ((1, 4, 5), [(4, 5, 3)])
    stack = make_stack(Volume(array=np.zeros((5, 4, 2, 3), np.uint8), axes="ijk"))
    assert (stack.shape, [pixels.shape for _, pixels in stack.frames]) == ((2, 4, 5), [(4, 5, 3)] * 2)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"affine": SHEARED}, r"i to j 89.43, .* a shear of 1.00%"),
        ({"affine": np.diag([1.0, 1.0, 0.0, 1.0])}, "voxels of 1, 1, 0 mm"),
        ({"affine": np.eye(3)}, r"shape \(3, 3\)"),
        ({"affine": np.full((4, 4), np.nan)}, "not finite"),
        ({"affine": np.ones((4, 4))}, "last row"),
        ({"affine": np.eye(4), "space": "lps"}, "space is 'lps'"),
        ({"axes": "kjj"}, "axes are 'kjj'"),
        ({"slice_axis": "t"}, "slice_axis is 't'"),
        ({"slice_axis": 4}, "slice_axis is 4"),
        ({"dimension": "colour"}, "dimension is 'colour'"),
        ({"keywords": {"Patience": 1}}, "Patience is not a DICOM keyword"),
        ({"array": make_array(4, 3, 2, 2, 2)}, "three or four axes"),
        ({"array": np.zeros((0, 3, 2), np.uint16)}, "no pixels"),
        ({"array": iter([]), "shape": (2, 2)}, "frames one by one"),
        ({"array": iter([]), "shape": (2, 2, 2), "slice_axis": "i"}, "lie along k"),
    ],
)
def test_what_is_no_volume_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ObjectInvalid, match=words):
        make_stack(Volume(**{"array": make_array(2, 3, 4), **given}))


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ([make_array(3, 4)] * 3, "more frames than 2"),
        ([make_array(3, 4)], "fewer frames than 2"),
        ([make_array(3, 5)], "frame 1 has the shape"),
    ],
)
def test_frames_that_are_not_as_said_are_refused(frames: list[Any], words: str) -> None:
    with pytest.raises(ObjectInvalid, match=words):
        list(make_stack(Volume(array=iter(frames), shape=(2, 3, 4))).frames)


def test_a_shear_within_rounding_is_made_square_around_the_middle() -> None:
    affine = np.eye(4)
    affine[0, 1] = 5e-4
    slices = make_stack(Volume(array=make_array(3, 5, 5), affine=affine)).slices
    assert slices is not None
    assert slices.along_row @ slices.along_column == pytest.approx(0, abs=1e-12)
    middle = slices.position(1) + 2 * slices.along_row + 2 * slices.along_column
    assert middle == pytest.approx(np.diag([-1, -1, 1]) @ (affine[:3, :3] @ (2, 2, 1)), abs=1e-6)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"ImagePositionPatient": [[0, 0, 0], [0, 0, 1], [0, 0, 0]]}, "images 1 and 3 have the same"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 2, 0]}, "vectors of length 1 and 2"),
        ({"ImageOrientationPatient": [1, 0, 0, 0.6, 0.8, 0]}, "rows and columns at 53.130 degrees"),
    ],
)
def test_places_that_are_stated_are_checked(keywords: dict[str, object], words: str) -> None:
    with pytest.raises(ObjectInvalid, match=words):
        make_stack(Volume(array=make_array(3, 4, 5), keywords=keywords))
