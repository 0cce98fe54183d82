"""Plans a retrieve: asks whether the archive has the images at all, and finds those that are missing here.

A device asks before it retrieves where its profile says so (MR-3.2.1.1-03). For a retrieve that is resumed it asks
which series and images the archive has, and then retrieves those that have not come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from pydicom import Dataset

from openmodality.activities.ends import Ends
from openmodality.activities.query import Model, query_peer
from openmodality.activities.retrieve import RetrievePart, Wanted
from openmodality.device.paths import TagPath
from openmodality.dimse.reading import read_text
from openmodality.errors import OpenModalityError
from openmodality.standard.query_retrieve import UNIQUE_KEYS, Level

_AT_ONCE: Final = 500
"""How many images are named in one request."""


class NothingToRetrieve(OpenModalityError):
    """The archive says that it has no such images."""

    advice = "ask with openmodality query what it has"


def plan_retrieve(ends: Ends, wanted: Wanted, model: Model, here: Collection[str] | None = None) -> list[RetrievePart]:
    """Ask an archive what it has, and plan the requests: for all of it, or with ``here`` (the SOP Instance UIDs that
    have come) for what is missing.

    Raises :class:`NothingToRetrieve` where there is nothing, and what :func:`query_peer` raises.
    """
    keys = wanted.keys(model)
    if here is not None:
        return list(_list_missing(ends, model, keys, here))
    level = Level.IMAGE if wanted.series else Level.SERIES
    if not _query(ends, model, level, keys):
        raise _explain_nothing(ends)
    return [RetrievePart.of(keys)]


def _list_missing(ends: Ends, model: Model, keys: Mapping[Level, str], here: Collection[str]) -> Iterator[RetrievePart]:
    series = [keys[Level.SERIES]] if Level.SERIES in keys else _ask(ends, model, Level.SERIES, keys)
    is_known = False
    for uid in series:
        of_series = {**keys, Level.SERIES: uid}
        images = _ask(ends, model, Level.IMAGE, of_series)
        is_known = is_known or bool(images)
        missing = [image for image in images if image not in here]
        if missing and len(missing) == len(images) and Level.IMAGE not in keys:
            yield RetrievePart.of(of_series)
            continue
        for start in range(0, len(missing), _AT_ONCE):
            yield RetrievePart.of(of_series, missing[start : start + _AT_ONCE])
    if not is_known:
        raise _explain_nothing(ends)


def _ask(ends: Ends, model: Model, level: Level, keys: Mapping[Level, str]) -> Sequence[str]:
    """The unique keys of what the archive has on a level."""
    return [uid for item in _query(ends, model, level, keys) if (uid := read_text(item, UNIQUE_KEYS[level]))]


def _query(ends: Ends, model: Model, level: Level, keys: Mapping[Level, str]) -> Sequence[Dataset]:
    values: dict[TagPath, object] = {(UNIQUE_KEYS[upper],): uid for upper, uid in keys.items()}
    return query_peer(ends, level, values, model=model).items


def _explain_nothing(ends: Ends) -> NothingToRetrieve:
    return NothingToRetrieve(f"{ends.remote} has no such images")
