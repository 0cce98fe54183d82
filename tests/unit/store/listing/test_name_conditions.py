from __future__ import annotations

import pytest

from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import find
from openmodality.store.local import LocalStore
from openmodality.store.rows.patients import keep_patient

NAMES = {
    "1": "Müller^Jörg^^Dr.",
    "2": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "3": "MULLER^Anna",
    "4": "Kaneko^Jirou=金子^次郎=かねこ^じろう",
    "5": "o[b]^x_%",
}


@pytest.fixture
def named(store: LocalStore) -> LocalStore:
    with store.write() as transaction:
        for number, name in NAMES.items():
            keep_patient(transaction, {"PatientID": number, "PatientName": name})
    return store


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("muller*", "13"),
        ("MÜLLER^JORG^^DR.", "1"),
        ("mÜLLER^jÖRG*", "1"),
        ("muller", ""),
        ("m?ller^*", "13"),
        ("yama*", "2"),
        ("山田*", "2"),
        ("やまだ^たろう", "2"),
        ("*=*=かね*", "4"),
        ("=山田^太郎", "2"),
        ("yamada^tarou=金子*", ""),
        ("*郎", "24"),
        ("*", "12345"),
        ("o[b]^x_*", "5"),
        ("o[b]*_%", "5"),
        ("?a*", "24"),
        ("", "12345"),
    ],
)
def test_names_match_by_any_group_without_case_and_accents(named: LocalStore, key: str, found: str) -> None:
    with named.read() as snapshot:
        assert "".join(each["PatientID"] for each in find(snapshot, Level.PATIENT, {"PatientName": key})) == found


def test_a_voiced_kana_is_another_letter(store: LocalStore) -> None:
    with store.write() as transaction:
        keep_patient(transaction, {"PatientID": "1", "PatientName": "==かき"})
        assert find(transaction, Level.PATIENT, {"PatientName": "がき"}) == []
