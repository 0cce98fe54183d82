from __future__ import annotations

from openmodality.store.local import LocalStore
from openmodality.store.rows.tombstones import insert_tombstones, read_tombstones, remove_tombstones


def test_a_tombstone_stands_until_the_file_is_gone(store: LocalStore) -> None:
    with store.write() as transaction:
        insert_tombstones(transaction, [("1.1", 10), ("1.2", 20)])
        insert_tombstones(transaction, [("1.1", 99)])
        assert sorted(read_tombstones(transaction)) == [("1.1", 10), ("1.2", 20)]
        remove_tombstones(transaction, ["1.1", "9.9"])
        assert read_tombstones(transaction) == [("1.2", 20)]
