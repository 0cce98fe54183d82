"""Patients who are registered: from the worklist, or by hand."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, and_, select, update

from openmodality.errors import UsageError
from openmodality.store.database import Database
from openmodality.store.files.attributes import keywords_of
from openmodality.store.schema import patients


def register_patient(database: Database, connection: Connection, attributes: Mapping[str, str]) -> int:
    """Add a patient or update the demographics of one who is known (RF-4.2.3.3.1.1-03); returns the id of the row.

    ``attributes`` by keyword; Patient ID with its issuer tells who it is. What is empty leaves what is known as it is.
    """
    known = {keyword: attributes[keyword] for keyword in keywords_of(patients) if attributes.get(keyword)}
    if "PatientID" not in known:
        raise UsageError("a patient without (0010,0020) Patient ID cannot be registered")
    row = {**known, "created_at": database.clock()}
    connection.execute(database.insert(patients).values(row).on_conflict_do_nothing())
    same = and_(
        patients.c.PatientID == known["PatientID"],
        patients.c.IssuerOfPatientID == known.get("IssuerOfPatientID", ""),
    )
    connection.execute(update(patients).where(same).values(known))
    return int(connection.execute(select(patients.c.id).where(same)).scalar_one())
