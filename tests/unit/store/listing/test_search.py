from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlalchemy import insert, update

from openmodality.errors import UsageError
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing import search
from openmodality.store.listing.entities import count, find
from openmodality.store.local import LocalStore
from openmodality.store.schema import instances, patients


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ["1.2", "1.1"]),
        ({"PatientID": "", "StudyDate": "*"}, ["1.2", "1.1"]),
        ({"PatientID": "1"}, ["1.1"]),
        ({"PatientName": "doe^JANE"}, ["1.1"]),
        ({"PatientName": "Doe^Jane^^"}, ["1.1"]),
        ({"PatientName": "d?e*"}, ["1.1"]),
        ({"PatientName": "山田^太郎"}, ["1.2"]),
        ({"PatientName": "*^Jörg"}, ["1.2"]),
        ({"PatientName": "Müller^Jörg=山田*"}, ["1.2"]),
        ({"PatientName": "Jane"}, []),
        ({"StudyInstanceUID": "1.1\\1.2"}, ["1.2", "1.1"]),
        ({"StudyInstanceUID": "1.*"}, []),
        ({"StudyDate": "20260102"}, ["1.1"]),
        ({"StudyDate": "20260103-"}, ["1.2"]),
        ({"StudyDate": "-20260102"}, ["1.1"]),
        ({"StudyDate": "20260102-20260203"}, ["1.2", "1.1"]),
        ({"StudyTime": "10-1430"}, ["1.2", "1.1"]),
        ({"StudyTime": "10-1429"}, ["1.1"]),
        ({"AccessionNumber": "A[1]%_*"}, ["1.2"]),
        ({"AccessionNumber": "a*"}, []),
        ({"AccessionNumber": "A0001", "PatientID": "2"}, []),
    ],
)
def test_keys_match_as_the_standard_says(filled: LocalStore, keys: Mapping[str, str], expected: list[str]) -> None:
    with filled.read() as connection:
        assert [study["StudyInstanceUID"] for study in find(connection, Level.STUDY, keys)] == expected
        assert count(connection, Level.STUDY, keys) == len(expected)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_study_of_which_nothing_is_listed_takes_no_place_of_a_page(
    filled: LocalStore, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "_FEWEST_AT_ONCE", 1)
    newest = instances.c.SOPInstanceUID.not_like("1.1.%")
    with filled.database.write() as transaction:
        transaction.execute(update(instances).where(newest, instances.c.series_id == 3).values(listed=False))
    with filled.read() as snapshot:
        keys = {"StudyDate": "20260101-20261231"}
        assert [each["StudyInstanceUID"] for each in find(snapshot, Level.STUDY, keys, limit=limit)] == ["1.1"]
        assert find(snapshot, Level.STUDY, keys, limit=limit, offset=1) == []


def test_a_key_of_a_lower_level_is_refused(filled: LocalStore) -> None:
    with filled.read() as connection, pytest.raises(UsageError, match="Modality cannot be searched for at STUDY"):
        find(connection, Level.STUDY, {"Modality": "MR"})


def test_a_patient_who_is_only_registered_is_listed(filled: LocalStore) -> None:
    with filled.write() as connection:
        connection.execute(insert(patients).values(PatientID="3", PatientName="New^One", identity="3", created_at=0.0))
    with filled.read() as connection:
        assert [found.instances for found in find(connection, Level.PATIENT)] == [13, 1, 0]
