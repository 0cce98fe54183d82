"""Checks whether a device can work: its database, its disk, its queue, and its listening ports."""

from __future__ import annotations

import shutil
from typing import Final

from openmodality.app.modality import Modality
from openmodality.errors import OpenModalityError
from openmodality.value_class import dataclass

LEAST_FREE_BYTES: Final = 1 << 28
"""Below so much free space no exam should be begun."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A part of a device; ``reason`` says why it does not work."""

    name: str
    is_well: bool
    reason: str = ""


def check_health(modality: Modality) -> list[HealthCheck]:
    """Each part that a device needs."""
    return [
        _check_database(modality),
        _check_disk(modality),
        _judge("worker", "" if modality.works_queue else "another process, or none, works the queue"),
        _check_listeners(modality),
    ]


def _judge(name: str, reason: str) -> HealthCheck:
    return HealthCheck(name, not reason, reason)


def _check_database(modality: Modality) -> HealthCheck:
    try:
        with modality.database.write():
            pass  # SQLite asks for its lock, and says where the file cannot be written
    except OpenModalityError as error:
        return _judge("database", error.message)
    return _judge("database", "")


def _check_disk(modality: Modality) -> HealthCheck:
    try:
        free = shutil.disk_usage(modality.site.data_folder).free
    except OSError as error:
        return _judge("disk", f"the data folder cannot be looked at: {error.strerror}")
    return _judge("disk", f"{free // 1_000_000} MB are free" if free < LEAST_FREE_BYTES else "")


def _check_listeners(modality: Modality) -> HealthCheck:
    listening, site = modality.supervision.count_open(), modality.site
    wanted = {role for role, each in site.application_entities.items() if each.port is not None}
    missing = sorted(role for role in wanted if site.list_accepted(role) and role not in listening)
    return _judge("listeners", f"nobody listens for {', '.join(missing)}" if missing else "")
