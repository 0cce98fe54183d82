"""Finds the instances that a retrieve of a peer names, by the unique keys of its levels (PS3.4 C.4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.reader import Condition, Reader, combine, is_one_of
from openmodality.store.listing.search import BY_NUMBERS, join_levels

_KEYS: Final = {
    Level.PATIENT: 'patients."PatientID"',
    Level.STUDY: 'studies."StudyInstanceUID"',
    Level.SERIES: 'series."SeriesInstanceUID"',
    Level.IMAGE: 'instances."SOPInstanceUID"',
}
_LISTED: Final = "instances.listed AND instances.device_id = ?"
_AT_ONCE: Final = 500


def count_patients(reader: Reader, patient_id: str) -> int:
    """How many patients with an ID have something that is listed here."""
    rows = reader.rows(
        f"SELECT count(DISTINCT patients.id) AS n FROM {join_levels(Level.IMAGE)}"
        f" WHERE {_KEYS[Level.PATIENT]} = ? AND {_LISTED}",
        (patient_id, reader.device_id),
    )
    return int(rows[0]["n"])


def read_retrieved(reader: Reader, keys: Mapping[Level, Sequence[str]]) -> list[str]:
    """SOP Instance UIDs of the listed instances that have one of the values of each level, in their order.

    Only the lowest level has a list; a long one is read in parts.
    """
    lowest = list(Level)[max(list(Level).index(level) for level in keys)]
    above = [is_one_of(_KEYS[level], values) for level, values in keys.items() if level is not lowest]
    found: list[str] = []
    for start in range(0, len(keys[lowest]), _AT_ONCE):
        among = is_one_of(_KEYS[lowest], keys[lowest][start : start + _AT_ONCE])
        condition = combine([*above, among, Condition(_LISTED, (reader.device_id,))])
        rows = reader.rows(
            f'SELECT instances."SOPInstanceUID" AS uid FROM {join_levels(Level.IMAGE)}'
            f" WHERE {condition.sql} ORDER BY {BY_NUMBERS}",
            condition.values,
        )
        found += (row["uid"] for row in rows)
    return found
