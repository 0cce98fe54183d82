"""Changes rows of ``audit_states``: how far a device has delivered its audit trail.

Rows of ``audit`` itself are only added, by :meth:`openmodality.store.transaction.Transaction.add_audit`.
"""

from __future__ import annotations

from openmodality.store.audit_schema import audit_states
from openmodality.store.transaction import Transaction


def note_delivered(transaction: Transaction, number: int, digest: str) -> None:
    """Note that the rows up to a number have been delivered for certain."""
    values = {"delivered": number, "delivered_digest": digest, "delivered_at": transaction.now}
    _keep(transaction, values)


def note_settings(transaction: Transaction, digest: str) -> None:
    """Note the digest of the settings with which the device starts."""
    _keep(transaction, {"settings": digest})


def _keep(transaction: Transaction, values: dict[str, object]) -> None:
    row = {"device_id": transaction.device_id, **values}
    statement = transaction.insert(audit_states).values(row)
    transaction.execute(statement.on_conflict_do_update(index_elements=["device_id"], set_=values))
