"""Patients who are registered: from the worklist, by hand, or by the images that came in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openmodality.errors import UsageError
from openmodality.store.columns import list_keywords
from openmodality.store.schema import patients
from openmodality.store.transaction import Transaction

DEMOGRAPHICS: Final = list_keywords(patients)
"""Keywords of the attributes that are kept of a patient."""


def keep_patient(transaction: Transaction, attributes: Mapping[str, str]) -> int:
    """Add a patient or update the demographics of one who is known (RF-4.2.3.3.1.1-03); returns the id of the row.

    ``attributes`` by keyword; Patient ID with its issuer tells who it is. What is empty leaves what is known as it is.
    Raises :class:`UsageError` where there is no Patient ID.
    """
    if not attributes.get("PatientID"):
        raise UsageError("a patient without (0010,0020) Patient ID cannot be registered")
    known = {keyword: attributes.get(keyword, "") for keyword in DEMOGRAPHICS}
    statement = transaction.insert(patients).values({**known, "created_at": transaction.now})
    changed = {keyword: value for keyword, value in known.items() if value}
    statement = statement.on_conflict_do_update(index_elements=["PatientID", "IssuerOfPatientID"], set_=changed)
    return int(transaction.execute(statement.returning(patients.c.id)).scalar_one())
