from __future__ import annotations

from operator import itemgetter
from pathlib import Path

import pytest
from sqlalchemy import select, update

from openmodality.errors import UsageError
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import find
from openmodality.store.local import LocalStore, open_store
from openmodality.store.rows import patients as patient_rows
from openmodality.store.rows.patients import (
    find_or_add_patient,
    is_same_patient,
    keep_patient,
    keep_patients,
    make_identity,
)
from openmodality.store.schema import patients


def test_a_patient_is_known_by_id_and_issuer(store: LocalStore) -> None:
    patient = {"PatientID": "1", "PatientName": "Doe^Jane"}
    with store.write() as transaction:
        first = keep_patient(transaction, patient)
        assert keep_patient(transaction, {**patient, "PatientName": "Roe^Jane"}) == first
        assert keep_patient(transaction, {**patient, "IssuerOfPatientID": "X"}) != first


def test_what_is_empty_leaves_what_is_known(store: LocalStore) -> None:
    with store.write() as transaction:
        keep_patient(transaction, {"PatientID": "1", "PatientName": "Doe^Jane", "PatientSex": "F"})
        keep_patient(transaction, {"PatientID": "1", "PatientName": "Roe^Jane", "PatientSex": ""})
    with store.read() as snapshot:
        [patient] = find(snapshot, Level.PATIENT)
    assert (patient["PatientName"], patient["PatientSex"]) == ("Roe^Jane", "F")


def test_a_patient_without_an_id_is_refused(store: LocalStore) -> None:
    with store.write() as transaction, pytest.raises(UsageError, match="without"):
        keep_patient(transaction, {"PatientName": "Doe^Jane"})


KNOWN = {"PatientID": "4711", "IssuerOfPatientID": "", "PatientName": "Delta^Dan", "PatientBirthDate": "19610101"}


@pytest.mark.parametrize(
    ("change", "same", "corrected"),
    [
        ({}, True, True),
        ({"PatientName": "DELTA^DAN^"}, True, True),
        ({"PatientName": "Délta^Dan"}, True, True),
        ({"PatientName": "Married^Dan"}, True, True),
        ({"PatientBirthDate": "19160101"}, True, True),
        ({"PatientName": "Epsilon^Eve", "PatientBirthDate": "19710101"}, False, False),
        ({"PatientName": "Epsilon^Eve", "PatientBirthDate": ""}, False, True),
        ({"PatientName": "", "PatientBirthDate": "19710101"}, False, False),
        ({"PatientName": "", "PatientBirthDate": ""}, True, True),
        ({"IssuerOfPatientID": "X"}, False, False),
        ({"PatientID": ""}, False, False),
    ],
)
def test_who_is_one_patient(change: dict[str, str], same: bool, corrected: bool) -> None:
    assert is_same_patient(KNOWN, KNOWN | change) is same
    assert is_same_patient(KNOWN, KNOWN | change, corrects=True) is corrected


def test_nobody_is_identified_by_no_id() -> None:
    nobody = dict.fromkeys(KNOWN, "")
    assert not is_same_patient(nobody, nobody)


def test_each_study_has_the_patient_whom_it_names(store: LocalStore) -> None:
    people = [("", "ALPHA^ANN"), ("", "BETA^BOB"), ("", "BETA^BOB"), ("4711", "DELTA^DAN"), ("4711", "EPSILON^EVE")]
    with store.write() as transaction:
        ids = [
            find_or_add_patient(
                transaction, KNOWN | {"PatientID": number, "PatientName": name, "PatientBirthDate": ""}, f"1.{at}"
            )
            for at, (number, name) in enumerate(people)
        ]
        assert len(set(ids)) == 5
        eve = KNOWN | {"PatientName": "Epsilon^Eve", "PatientBirthDate": ""}
        assert find_or_add_patient(transaction, eve, "1.9") == ids[4]
        assert [each["PatientName"] for each in find(transaction, Level.PATIENT)] == [name for _, name in people]


def test_of_several_who_may_be_meant_it_is_the_one_with_whom_most_agrees(store: LocalStore) -> None:
    alpha = KNOWN | {"PatientName": "Alpha^Ann", "PatientBirthDate": ""}
    beta = KNOWN | {"PatientName": "Beta^Bob", "PatientBirthDate": "19600101"}
    with store.write() as transaction:
        first, second = (find_or_add_patient(transaction, each, "") for each in (alpha, beta))
        assert first != second == keep_patient(transaction, beta)
        assert find_or_add_patient(transaction, beta | {"PatientName": ""}, "1.2") == second
        assert [each["PatientName"] for each in find(transaction, Level.PATIENT)] == ["Alpha^Ann", "Beta^Bob"]


@pytest.mark.parametrize("is_kept_from_earlier", [False, True])
def test_a_patient_who_was_corrected_is_not_taken_for_who_was_meant_before(
    store: LocalStore, is_kept_from_earlier: bool
) -> None:
    beta = KNOWN | {"PatientName": "Beta^Bob", "PatientBirthDate": "19600101"}
    with store.write() as transaction:
        find_or_add_patient(transaction, KNOWN, "")
        second = find_or_add_patient(transaction, beta, "")
        for birth_date in ("19600101", "19700101"):
            corrected = {**beta, "PatientName": "Gamma^Gus", "PatientBirthDate": birth_date}
            assert keep_patient(transaction, corrected) == second
        if is_kept_from_earlier:
            identity = make_identity(beta, "", is_first=False)
            transaction.execute(update(patients).where(patients.c.id == second).values(identity=identity))
        third = find_or_add_patient(transaction, beta, "1.4")
        assert third != second
        assert find_or_add_patient(transaction, beta, "1.5") == third


def read_patients(store: LocalStore) -> set[tuple[object, ...]]:
    """All that is known of each, but for numbers and times."""
    columns = [column for column in patients.columns if column.name not in ("id", "created_at")]
    with store.read() as snapshot:
        return {tuple(row) for row in snapshot.execute(select(*columns))}


def test_many_are_kept_as_they_are_one_by_one(store: LocalStore, tmp_path: Path) -> None:
    def say(number: str, name: str, birth: str = "", issuer: str = "") -> dict[str, str]:
        return {"PatientID": number, "PatientName": name, "PatientBirthDate": birth, "IssuerOfPatientID": issuer}

    rounds = (
        [say("1", "Doe^Jane"), say("2", "Roe^Ann", "19700101"), say("2", "Poe^Eve", "19800101")],
        [say("1", "X", "", "B"), say("2", "Roe^Ann", "19700101")],
        [say("1", "Doe^Jane", "19600606"), say("2", "Poe^Eva", "19800101"), say("3", ""), say("1", "X", issuer="B")],
    )  # fmt: skip
    with open_store(tmp_path / "other", durability="os") as other:
        for many in rounds:
            with store.database.write() as transaction:
                keep_patients(transaction, many)
            with other.database.write() as transaction:
                for each in sorted(many, key=itemgetter("IssuerOfPatientID", "PatientID")):
                    keep_patient(transaction, each)
        assert read_patients(store) == read_patients(other)


def test_of_whom_nothing_new_is_said_nothing_is_written(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [{"PatientID": str(number), "IssuerOfPatientID": "", "PatientName": "A"} for number in range(3)]
    with store.database.write() as transaction:
        keep_patients(transaction, known)
    monkeypatch.setattr(patient_rows, "keep_patient", pytest.fail)
    with store.database.write() as transaction:
        keep_patients(transaction, [*known, {"PatientID": "9", "IssuerOfPatientID": "", "PatientName": "B"}])
    assert len(read_patients(store)) == 4
