from __future__ import annotations

import pytest

from openmodality.errors import UsageError
from openmodality.store.listing.entities import Level, find
from openmodality.store.local import LocalStore
from openmodality.store.rows.patients import keep_patient


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
