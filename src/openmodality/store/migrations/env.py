"""Run by Alembic: migrates over the connection that ``store.migrate`` hands in, inside its transaction."""

from alembic import context

from openmodality.store import schema  # noqa: F401 - declares the tables
from openmodality.store.columns import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
