"""Images of ISMRMRD (MRD v1): where they lie, what they show, and which belong to one series.

``position`` is the middle of the image, as the specification has it. Some makers of reconstructions put the first
voxel there and say so by ``DicomJson`` in the meta attributes; a companion says it by ``mrd_position = "corner"``.
ImageRowDir and ImageColumnDir of the meta attributes win over ``read_dir`` and ``phase_dir``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from openmodality.acquisition.readers.companion import check_keywords
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.mrd_header import MrdHeader
from openmodality.acquisition.volume import Array, Volume
from openmodality.errors import ObjectInvalid
from openmodality.value_class import dataclass

HEADER: Final = np.dtype(
    [
        ("version", "<u2"), ("data_type", "<u2"), ("flags", "<u8"), ("measurement_uid", "<u4"),
        ("matrix_size", "<u2", (3,)), ("field_of_view", "<f4", (3,)), ("channels", "<u2"), ("position", "<f4", (3,)),
        ("read_dir", "<f4", (3,)), ("phase_dir", "<f4", (3,)), ("slice_dir", "<f4", (3,)),
        ("patient_table_position", "<f4", (3,)), ("average", "<u2"), ("slice", "<u2"), ("contrast", "<u2"),
        ("phase", "<u2"), ("repetition", "<u2"), ("set", "<u2"), ("acquisition_time_stamp", "<u4"),
        ("physiology_time_stamp", "<u4", (3,)), ("image_type", "<u2"), ("image_index", "<u2"),
        ("image_series_index", "<u2"), ("user_int", "<i4", (8,)), ("user_float", "<f4", (8,)),
        ("attribute_string_len", "<u4"),
    ]
)  # fmt: skip
"""ImageHeader of ISMRMRD, 198 bytes."""
DATA_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {1: "<u2", 2: "<i2", 3: "<u4", 4: "<i4", 5: "<f4", 6: "<f8", 7: "<c8", 8: "<c16"}
)
IMAGE_TYPES: Final[Mapping[int, str]] = MappingProxyType({1: "M", 2: "P", 3: "R", 4: "I", 5: "M"})
"""Image Type value 3 (PS3.3 C.8.3.1.1.1) of magnitude, phase, real, imaginary, and complex, which becomes magnitude."""
_USED_META: Final[Mapping[str, str]] = MappingProxyType(
    {
        "WindowCenter": "WindowCenter", "WindowWidth": "WindowWidth", "ImageComment": "ImageComments",
        "GADGETRON_ImageComment": "ImageComments", "SeriesDescription": "SeriesDescription",
        "SequenceDescription": "SeriesDescription", "GADGETRON_SeqDescription": "SeriesDescription",
        "EchoTime": "EchoTime", "GADGETRON_TE": "EchoTime", "InversionTime": "InversionTime",
        "GADGETRON_TI": "InversionTime",
    }
)  # fmt: skip
_PLACED_BY: Final = ("ImageRowDir", "ImageColumnDir", "DicomJson")
_ADDED_TO_DESCRIPTION: Final = ("SequenceDescriptionAdditional", "GADGETRON_SeqDescriptionAdditional")
_SIDE: Final = 1e-3
_NO_PLACE: Final = "an image has no place for it"

Direction = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class MrdImage:
    """An image: its ``header``, ``meta`` attributes, and ``data`` of shape (channels, z, y, x)."""

    header: Any
    meta: Mapping[str, list[str]]
    data: Array

    @property
    def series(self) -> int:
        """Which series it belongs to."""
        return int(self.header["image_series_index"])


def make_series(images: Iterable[MrdImage], header: MrdHeader, where: str, position: str = "") -> list[FoundSeries]:
    """The series of images, by image_series_index and by kind of image, since phase is no magnitude.

    ``position`` says what ``position`` of the headers is where the meta attributes do not: ``centre`` or ``corner``.

    Raises :class:`ObjectInvalid` where an image has no place or several channels.
    """
    groups: dict[tuple[int, int, tuple[int, ...]], list[MrdImage]] = {}
    for image in images:
        key = image.series, int(image.header["image_type"]), image.data.shape[1:]
        groups.setdefault(key, []).append(image)
    return [_make_series(group, header, f"{where}: series {key[0]}", position) for key, group in sorted(groups.items())]


def _make_series(images: Sequence[MrdImage], header: MrdHeader, where: str, position: str) -> FoundSeries:
    frames: list[Array] = []
    said: list[dict[str, object]] = []
    for number, image in enumerate(images, 1):
        here = f"{where}, image {number}"
        if image.data.ndim != 4 or image.data.shape[0] != 1:
            raise ObjectInvalid(
                f"{here}: {image.data.shape[0]} channels, one for each coil", advice="combine the coils first"
            )
        for z, (pixels, place) in enumerate(zip(image.data[0], _list_places(image, here, position), strict=True)):
            frames.append(pixels)
            said.append({**place, **_describe(image, header, z)})
    order = _order(said)
    shared, own = _share([said[number] for number in order])
    for counter in ("EchoNumbers", "TemporalPositionIdentifier"):
        shared.pop(counter, None)  # where there is only one of each, it counts nothing
    keywords: dict[str, object] = {**header.keywords, **shared, **own}
    unused = {name: _NO_PLACE for image in images for name in _list_unused(image)}
    if any("DicomJson" in image.meta for image in images):
        unused["DicomJson"] = "it only tells that position is the first voxel"
    # Frames one after the other in place and time: what tells them apart is in a list for each keyword.
    volume = Volume(array=np.stack([frames[number] for number in order]), keywords=keywords, unused=unused)
    description = str(shared.get("SeriesDescription") or header.keywords.get("SeriesDescription", ""))
    notices = () if not _is_complex(images) else (f"{where}: complex images become magnitude",)
    check_keywords({name: value for name, value in keywords.items() if name not in own}, where)
    return FoundSeries(where, volume, description, "MR Image", "MR", header.identity, notices)


def _is_complex(images: Sequence[MrdImage]) -> bool:
    return bool(images[0].data.dtype.kind == "c")


def _list_places(image: MrdImage, where: str, position: str) -> list[dict[str, object]]:
    """Position, orientation and spacing of each plane of an image (PS3.3 C.7.6.2)."""
    header = image.header
    size = np.array([image.data.shape[3], image.data.shape[2], image.data.shape[1]], dtype=np.float64)
    extent = np.array(header["field_of_view"], dtype=np.float64)
    if not (np.isfinite(extent).all() and (extent > 0).all()):
        raise ObjectInvalid(f"{where}: field_of_view is {_show(extent)} mm", advice="give three lengths above zero")
    spacing = extent / size
    row, column, through = _find_directions(image, where)
    first = np.array(header["position"], dtype=np.float64)
    if not np.isfinite(first).all():
        raise ObjectInvalid(f"{where}: position is {_show(first)}", advice="give three numbers in mm")
    is_corner = "DicomJson" in image.meta if not position else position == "corner"
    if not is_corner:
        half = (size - 1) / 2 * spacing
        first = first - half[0] * row - half[1] * column - half[2] * through
    common: dict[str, object] = {
        "ImageOrientationPatient": [float(value) for value in (*row, *column)],
        "PixelSpacing": [float(spacing[1]), float(spacing[0])],
        "SliceThickness": float(spacing[2]),
    }
    return [
        {**common, "ImagePositionPatient": [float(value) for value in first + z * spacing[2] * through]}
        for z in range(int(size[2]))
    ]


def _find_directions(image: MrdImage, where: str) -> tuple[Direction, Direction, Direction]:
    given = {
        "read_dir": image.meta.get("ImageRowDir") or image.header["read_dir"],
        "phase_dir": image.meta.get("ImageColumnDir") or image.header["phase_dir"],
    }
    try:
        row, column = (np.array([float(value) for value in values], dtype=np.float64) for values in given.values())
    except ValueError as error:
        raise ObjectInvalid(f"{where}: ImageRowDir and ImageColumnDir are no numbers") from error
    for name, vector in zip(given, (row, column), strict=True):
        length = float(np.linalg.norm(vector)) if vector.shape == (3,) else 0.0
        if not abs(length - 1.0) < _SIDE:
            raise ObjectInvalid(f"{where}: {name} is {_show(vector)}", advice="give a unit vector to left, back, head")
    through = np.cross(row, column)
    stated = np.array(image.header["slice_dir"], dtype=np.float64)
    return row, column, -through if bool(np.isfinite(stated).all()) and float(stated @ through) < 0.0 else through


def _describe(image: MrdImage, header: MrdHeader, z: int) -> dict[str, object]:
    fields = image.header
    contrast = int(fields["contrast"])
    said: dict[str, object] = {
        "ImageType": ["ORIGINAL", "PRIMARY", IMAGE_TYPES.get(int(fields["image_type"]), "M")],
        "EchoNumbers": contrast + 1,
        "TemporalPositionIdentifier": int(fields["repetition"]) + 1,
    }
    for name, values in header.by_contrast.items():
        said[name] = values[contrast] if contrast < len(values) else values[0]
    for name, keyword in _USED_META.items():
        if image.meta.get(name):
            texts = image.meta[name]
            said[keyword] = texts[0] if len(texts) == 1 else texts
    added = next((image.meta[name][0] for name in _ADDED_TO_DESCRIPTION if image.meta.get(name)), "")
    if added:
        start = said.get("SeriesDescription") or header.keywords.get("SeriesDescription", "")
        said["SeriesDescription"] = f"{start}{added}".strip("_ ")
    return said


def _order(said: Sequence[Mapping[str, Any]]) -> list[int]:
    """By time and echo, then along the normal of the slices."""

    def find_key(number: int) -> tuple[float, ...]:
        cosines = np.asarray(said[number]["ImageOrientationPatient"])
        along = float(np.cross(cosines[:3], cosines[3:]) @ np.asarray(said[number]["ImagePositionPatient"]))
        return said[number]["TemporalPositionIdentifier"], said[number]["EchoNumbers"], round(along, 3)

    return sorted(range(len(said)), key=find_key)


def _share(said: Sequence[Mapping[str, Any]]) -> tuple[dict[str, object], dict[str, object]]:
    """What all frames have alike, and lists of what each has of its own."""
    names = dict.fromkeys(name for each in said for name in each)
    alike = {name for name in names if all(each.get(name) == said[0].get(name) for each in said)}
    own: dict[str, object] = {name: [each.get(name, "") for each in said] for name in names if name not in alike}
    return {name: said[0][name] for name in names if name in alike}, own


def _list_unused(image: MrdImage) -> list[str]:
    used = {*_USED_META, *_PLACED_BY, *_ADDED_TO_DESCRIPTION}
    return [name for name in image.meta if name and name not in used]


def _show(vector: Direction) -> str:
    return ", ".join(f"{float(value):g}" for value in vector)
