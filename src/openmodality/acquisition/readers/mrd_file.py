"""Files of ISMRMRD (MRD v1), ``.h5``: groups with an ``xml`` header, and images of header, attributes and data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from openmodality.acquisition.readers.bounds import LARGEST_TEXT_BYTES
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.readers.hdf5 import open_hdf5, read_array
from openmodality.acquisition.readers.mrd_header import MrdHeader, parse_header, parse_meta
from openmodality.acquisition.readers.mrd_images import HEADER, MrdImage, make_series
from openmodality.errors import ObjectInvalid

_FORM: Final = "an MRD file"
_IMAGE_PARTS: Final = ("header", "data")
_MOST_IMAGES: Final = 100_000
_MOST_META_BYTES: Final = 64 * LARGEST_TEXT_BYTES
"""Of the meta attributes of all images of a group together."""


def read_mrd(path: Path, position: str = "") -> list[FoundSeries]:
    """The images of an MRD file, by series.

    Raises :class:`ObjectInvalid` where there is none: raw data alone is to be reconstructed first.
    """
    with open_hdf5(path, _FORM) as file:
        found: list[FoundSeries] = []
        acquisitions = 0
        for name in file:
            group = file[name]
            if not hasattr(group, "keys"):
                continue
            acquisitions += len(group["data"]) if "data" in group and hasattr(group["data"], "shape") else 0
            images = list(_read_images(group, f"{path}: {name}"))
            if images:
                found += make_series(images, _read_header(group, f"{path}: {name}"), str(path), position)
    if not found:
        raw = f": {acquisitions} acquisitions of raw data" if acquisitions else ""
        raise ObjectInvalid(f"{path}: holds no image{raw}", advice="give what was reconstructed of it")
    return found


def _read_header(group: Any, where: str) -> MrdHeader:
    if "xml" not in group:
        return MrdHeader()
    content = group["xml"]
    if content.size != 1:
        raise ObjectInvalid(f"{where}: the header is not one text")
    text = content[()] if content.shape == () else content[0]
    return parse_header(text if isinstance(text, bytes | str) else str(text), where)


def _read_images(group: Any, where: str) -> Iterator[MrdImage]:
    for name in group:
        part = group[name]
        if not hasattr(part, "keys") or not all(each in part for each in _IMAGE_PARTS):
            continue
        headers, data = part["header"], part["data"]
        if len(headers) > _MOST_IMAGES or len(headers) != len(data):
            raise ObjectInvalid(f"{where}/{name}: {len(headers)} headers for {len(data)} images")
        missing = [field for field in HEADER.names or () if field not in (headers.dtype.names or ())]
        if missing:
            raise ObjectInvalid(f"{where}/{name}: a header without {missing[0]}", advice="write MRD version 1")
        pixels = _make_plain(read_array(data, f"{where}/{name}"))
        metas = _read_metas(part, len(headers), f"{where}/{name}")
        for header, meta, image in zip(headers[()], metas, pixels, strict=True):
            yield MrdImage(header, parse_meta(meta, f"{where}/{name}"), image)


def _make_plain(pixels: Any) -> Any:
    """Numbers of numpy: HDF5 keeps complex ones as pairs of a real and an imaginary part."""
    names = pixels.dtype.names
    return pixels if names is None else np.asarray(pixels[names[0]] + 1j * pixels[names[1]])


def _read_metas(part: Any, count: int, where: str) -> list[bytes | str]:
    if "attributes" not in part:
        return [""] * count
    metas = part["attributes"]
    if metas.shape != (count,):
        raise ObjectInvalid(f"{where}: {metas.shape} meta attributes for {count} images")
    texts = [metas[number] for number in range(count)]
    if sum(len(text) for text in texts) > _MOST_META_BYTES:
        raise ObjectInvalid(f"{where}: meta attributes of more than {_MOST_META_BYTES >> 20} MiB")
    return [text if isinstance(text, bytes | str) else str(text) for text in texts]
