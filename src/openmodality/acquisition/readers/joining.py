"""Joins files that are slices of one series to one stack, in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from openmodality.acquisition.arrays import frame_of
from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.readers.dicom_files import (
    SERIES_KEYWORDS,
    DicomContents,
    order_slices,
    refuse_one_place,
)
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.source import AcquiredFrame
from openmodality.acquisition.volume import Array
from openmodality.errors import ObjectInvalid
from openmodality.objects.irradiation.event import IrradiationEvent

_OF_THE_FIRST: Final = "the files of one series say different things; that of the first holds"
_NO_PIXELS: Final = np.zeros((1, 1), dtype=np.uint16)


def is_slice(found: FoundSeries, *, is_alone: bool) -> bool:
    """Whether it may be a slice of a series of files: one image, or frames without a place alone in a file."""
    array = found.volume.array
    if found.volume.affine is not None or found.positions != 1 or not isinstance(array, np.ndarray):
        return False
    return is_alone or array.ndim - found.volume.is_colour == 2


def join_slices(folder: Path, parts: Sequence[FoundSeries]) -> list[FoundSeries]:
    """Slices of one size as one series, in the order of their positions, else numbers, else as they come.

    Raises :class:`ObjectInvalid` where all are at one position and nothing tells them apart, or where they are of
    several exposures.
    """
    groups: dict[tuple[int, ...], list[FoundSeries]] = {}
    for part in parts:
        groups.setdefault(_find_size(part), []).append(part)
    return [_join(folder, group) if len(group) > 1 else group[0] for group in groups.values()]


def _join(folder: Path, parts: Sequence[FoundSeries]) -> FoundSeries:
    proxies = [_make_proxy(part) for part in parts]
    refuse_one_place(folder, proxies)
    by_proxy = {id(proxy): part for proxy, part in zip(proxies, parts, strict=True)}
    ordered = [by_proxy[id(proxy)] for proxy in order_slices(proxies)]
    frames = [_list_frames(part) for part in ordered]
    said = [part.volume.keywords for part, own in zip(ordered, frames, strict=True) for _ in own]
    keywords = share_keywords(said)
    first = ordered[0]
    unused = {name: reason for part in ordered for name, reason in part.volume.unused.items()}
    for name in SERIES_KEYWORDS:
        values = keywords.get(name)
        if isinstance(values, list):
            keep = first.volume.keywords.get(name)
            if any(value not in ("", keep) for value in values):
                unused[name] = _OF_THE_FIRST
            keywords.pop(name)
            if keep is not None:
                keywords[name] = keep
    array: Array = np.concatenate(frames)
    return replace(
        first,
        where=str(folder),
        volume=replace(first.volume, array=array, keywords=keywords, unused=unused, axes="kji"),
        description=next((part.description for part in ordered if part.description), ""),
        identity=_join_identity(folder, ordered),
        exposure=_join_exposure(folder, ordered),
        notices=tuple(notice for part in ordered for notice in part.notices),
    )


def share_keywords(said: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """The values that all frames have in common, and lists of those that differ, empty where a frame has none."""
    names = dict.fromkeys(name for each in said for name in each)
    alike = {name for name in names if all(each.get(name) == said[0].get(name) for each in said)}
    return {name: said[0][name] if name in alike else [each.get(name, "") for each in said] for name in names}


def _list_frames(part: FoundSeries) -> Array:
    array = np.asarray(part.volume.array)
    return array[np.newaxis] if array.ndim - part.volume.is_colour == 2 else array


def _find_size(part: FoundSeries) -> tuple[int, ...]:
    return _list_frames(part).shape[1:]


def _make_proxy(part: FoundSeries) -> DicomContents:
    """What a file says of its place, without its pixels."""
    attributes = attributes_of(part.volume.keywords, part.where)
    frame = AcquiredFrame(_NO_PIXELS, frame_of(_NO_PIXELS, attributes).attributes)
    return DicomContents(Path(part.where), [frame], attributes)


def _join_identity(folder: Path, parts: Sequence[FoundSeries]) -> Mapping[str, str]:
    joined: dict[str, str] = {}
    for part in parts:
        for keyword, value in part.identity.items():
            if joined.setdefault(keyword, value) != value:
                raise ObjectInvalid(f"{folder}: its files say several values of {keyword}", advice="give them apart")
    return joined


def _join_exposure(folder: Path, parts: Sequence[FoundSeries]) -> IrradiationEvent | None:
    """The exposure of the series. Two that are alike are one only where they have the same UID."""
    stated = [part.exposure for part in parts if part.exposure is not None]
    if len(stated) > 1 and not (stated[0].uid and all(each == stated[0] for each in stated)):
        raise ObjectInvalid(
            f"{folder}: {len(stated)} of its files state an exposure, and a series has one",
            advice="give files of several exposures one by one; of one exposure, state it beside one file, or with its "
            "IrradiationEventUID",
        )
    return stated[0] if stated else None
