"""Names in a data folder and in its database that several ways of opening it go by."""

from __future__ import annotations

from typing import Final

DATABASE_FILE: Final = "openmodality.db"
"""The SQLite database; a site may name a PostgreSQL database in place of it."""
INSTANCE_FOLDER: Final = "instances"
"""Where the instance files are."""
ASIDE_FOLDER: Final = "aside"
"""Where instance files are that may not be among the others: :class:`openmodality.store.states.ProblemKind`."""
RESERVE_FILE: Final = "room-for-the-end-of-an-exam"
"""Room on the disk that is given up when it is full (``store.reserve``)."""
REVISION: Final = "0009"
"""The newest migration; a database that has it needs no migration, so Alembic is not even imported."""
ONLY_DEVICE: Final = 1
"""The number of the device of a SQLite file, in which there is one."""
