from __future__ import annotations

import pytest
from sqlalchemy import update

from openmodality.errors import UsageError
from openmodality.store.listing.entities import Level, find
from openmodality.store.local import LocalStore
from openmodality.store.rows.patients import find_or_add_patient, is_same_patient, keep_patient, make_identity
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
