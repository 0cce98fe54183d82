"""Run by Alembic: migrates over the connection that ``store.migrate`` hands in, inside its transaction."""

from alembic import context

from openmodality.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
