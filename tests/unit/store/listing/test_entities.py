from __future__ import annotations

from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import count, find, instance_references
from openmodality.store.local import LocalStore


def test_limit_and_offset_make_pages(filled: LocalStore) -> None:
    with filled.read() as connection:
        pages = [find(connection, Level.IMAGE, limit=5, offset=start) for start in (0, 5, 10)]
        assert [len(page) for page in pages] == [5, 5, 4]
        assert len({found.id for page in pages for found in page}) == count(connection, Level.IMAGE) == 14


def test_references_come_in_the_order_of_their_numbers(filled: LocalStore) -> None:
    with filled.read() as connection:
        found = instance_references(connection, Level.SERIES, {"SeriesInstanceUID": "1.1.1"})
        assert [reference.SOPInstanceUID for reference in found] == [f"1.1.1.{n}" for n in range(1, 12)]
        assert found[0].StudyInstanceUID == "1.1"
        assert found[0].TransferSyntaxUID == "1.2.840.10008.1.2.1"
        assert found[0].length_bytes == filled.files.path("1.1.1.1").stat().st_size
        assert len(instance_references(connection, Level.PATIENT, {"PatientID": "1"})) == 13
        assert instance_references(connection, Level.IMAGE, {"SOPInstanceUID": "9.9"}) == []
