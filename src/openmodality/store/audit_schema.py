"""The tables of the audit trail: rows are added, and neither changed nor taken away by anybody.

Triggers hold that, so that no code path of ours and no client of the database changes a row by mistake. Whoever owns
the database can still take the triggers away: the chain of digests (``audit.chain``) shows it afterwards.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, Column, Float, Index, Integer, String, Table, Text, event

from openmodality.store.columns import LONG, make_device, make_text_column, metadata

audit = Table(
    "audit",
    metadata,
    Column("number", LONG, primary_key=True, autoincrement=False),
    make_device(),
    Column("at", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("outcome", Integer, nullable=False),
    make_text_column("users"),
    make_text_column("patients"),
    Column("message", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Index(None, "at"),
)
"""One chain for all devices of a database; ``users`` and ``patients`` have a line for each, to be looked up by."""

audit_states = Table(
    "audit_states",
    metadata,
    make_device(primary_key=True),
    Column("delivered", LONG, nullable=False, server_default="0"),
    make_text_column("delivered_digest"),
    Column("delivered_at", Float),
    make_text_column("settings"),
)
"""Up to which row a device has delivered for certain, and the digest of the settings that it has started with."""

_REFUSAL: Final = "the audit trail is only added to"
_SQLITE: Final = (
    f"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    f"CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    "CREATE TRIGGER audit_is_added_to BEFORE INSERT ON audit"
    " WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit)"
    f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
)
"""The last one because an INSERT OR REPLACE deletes without the trigger for that."""
_POSTGRESQL: Final = (
    "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
    "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()",
)
for _dialect, _statements in (("sqlite", _SQLITE), ("postgresql", _POSTGRESQL)):
    for _statement in _statements:
        event.listen(audit, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]  # SQLAlchemy types it not
