from __future__ import annotations

from openmodality.standard.query_retrieve import Level
from openmodality.store.files.indexed_attributes import Attributes
from openmodality.store.index_columns import INSTANCE_ATTRIBUTES
from openmodality.store.listing.entities import count
from openmodality.store.local import LocalStore
from openmodality.store.rows.index import Entry, add_instances, count_outside, read_uids
from openmodality.store.rows.tombstones import insert_tombstones, read_tombstones
from openmodality.store.states import Origin


def entry(uid: str, bucket: str = "00", patient: str = "1") -> Entry:
    instance = dict.fromkeys(INSTANCE_ATTRIBUTES, "") | {
        "SOPInstanceUID": uid,
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
        "TransferSyntaxUID": "1.2",
    }
    names = {"PatientID": patient, "IssuerOfPatientID": ""}
    attributes = Attributes(
        names, {"StudyInstanceUID": f"1.{patient}"}, {"SeriesInstanceUID": f"1.{patient}.1"}, instance, 9
    )
    return Entry(attributes, bucket, Origin.RECEIVED, listed=True)


def test_what_is_in_the_index_is_added_once(store: LocalStore) -> None:
    with store.write() as transaction:
        assert add_instances(transaction, []) == 0
        assert add_instances(transaction, [entry("1.1"), entry("1.2"), entry("1.1")]) == 2
        assert add_instances(transaction, [entry("1.2"), entry("1.3", patient="2")]) == 1
        counts = [count(transaction, level) for level in Level]
    assert counts == [2, 2, 2, 3]


def test_many_are_added_at_once_and_counted(store: LocalStore) -> None:
    """Some of them together in one statement, the rest one by one; what is there already counts as little as a twin."""
    with store.write() as transaction:
        add_instances(transaction, [entry("1.5")])
        assert add_instances(transaction, [entry(f"1.{number}") for number in (*range(75), 7, 70)]) == 74
        assert count(transaction, Level.IMAGE) == 75


def test_an_instance_that_comes_again_has_no_tombstone(store: LocalStore) -> None:
    with store.write() as transaction:
        insert_tombstones(transaction, [("1.1", 10), ("1.2", 20)])
        add_instances(transaction, [entry("1.1")])
        assert read_tombstones(transaction) == [("1.2", 20)]


def test_instances_are_found_by_the_folder_of_their_files(store: LocalStore) -> None:
    with store.write() as transaction:
        add_instances(transaction, [entry("1.1", "3f"), entry("1.2", "3f"), entry("1.3", "a0")])
        assert read_uids(transaction, "3f") == {"1.1", "1.2"}
        assert (count_outside(transaction, ["3f"]), count_outside(transaction, ["3f", "a0"])) == (1, 0)
        assert count_outside(transaction, []) == 3
