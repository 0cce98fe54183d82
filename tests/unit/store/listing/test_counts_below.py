from __future__ import annotations

import pytest
from sqlalchemy import insert, or_, update

from openmodality.jobs.job import JobInstance, NewJob
from openmodality.jobs.queue import Queue
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import find, read_entities
from openmodality.store.listing.search import LEVEL_TABLES, Search
from openmodality.store.local import LocalStore
from openmodality.store.schema import commitment_instances, commitments, instances
from openmodality.store.states import InstanceResult, JobKind


def test_each_level_has_its_counts(filled: LocalStore) -> None:
    with filled.read() as connection:
        patient = find(connection, Level.PATIENT, {"PatientID": "1"})[0]
        studies = find(connection, Level.STUDY)
        [mr, ct] = find(connection, Level.SERIES, {"StudyInstanceUID": "1.1"})
        [image] = find(connection, Level.IMAGE, {"SOPInstanceUID": "1.1.1.7"})
    assert (patient.studies, patient.series, patient.instances, patient.modalities) == (1, 2, 13, ("CT", "MR"))
    assert [(study["StudyInstanceUID"], study.instances) for study in studies] == [("1.2", 1), ("1.1", 13)]
    assert (mr.instances, mr.modalities, ct.instances, ct.modalities) == (11, ("MR",), 2, ("CT",))
    assert (image["PatientName"], image["InstanceNumber"], image["Rows"], image.instances) == ("Doe^Jane", "7", "4", 1)
    assert studies[0]["OtherPatientIDs"] == "22\\33"


@pytest.mark.parametrize("level", list(Level))
def test_counts_are_the_same_where_no_states_are_asked_for(filled: LocalStore, level: Level) -> None:
    with filled.database.write() as transaction:
        hidden = or_(instances.c.SOPInstanceUID == "1.1.1.7", instances.c.SOPInstanceUID.not_like("1.1.1.%"))
        transaction.execute(update(instances).where(hidden).values(listed=False))
    with filled.read() as snapshot:
        [*ids] = [row["id"] for row in snapshot.rows(f"SELECT id FROM {LEVEL_TABLES[level][0]} ORDER BY id")]
        counted, uncounted = (read_entities(snapshot, Search(level, states=states), ids) for states in (True, False))
    assert counted == uncounted
    assert sum(each.instances for each in counted) == 10


def test_what_was_sent_and_committed_is_counted(filled: LocalStore) -> None:
    queue = Queue(filled.database)
    pairs = [("1.2", f"1.1.1.{number}") for number in (1, 2, 3)]
    with filled.write() as connection:
        job = queue.enqueue(connection, NewJob(JobKind.SEND, "PACS", instances=pairs))
        printed = queue.enqueue(connection, NewJob(JobKind.PRINT, "PRINTER", instances=[("1.2", "1.1.1.4")]))
        values = {"TransactionUID": "1.9", "destination": "PACS", "state": "committed", "created_at": 0.0}
        number = connection.execute(insert(commitments).values(values).returning(commitments.c.id)).scalar_one()
        row = {"commitment_id": number, "SOPInstanceUID": "1.1.1.1", "SOPClassUID": "1.2", "result": "committed"}
        connection.execute(insert(commitment_instances).values(row))
    results = (InstanceResult.SUCCESS, InstanceResult.WARNING, InstanceResult.FAILURE)
    queue.record(job.id, [JobInstance(*pair, result) for pair, result in zip(pairs, results, strict=True)])
    queue.record(printed.id, [JobInstance("1.2", "1.1.1.4", InstanceResult.SUCCESS)])
    with filled.read() as connection:
        study = find(connection, Level.STUDY, {"StudyInstanceUID": "1.1"})[0]
        assert (study.sent, study.committed) == (2, 1)
