"""The result of an import, or of a copy from a medium, as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openmodality.app.local_data import Imported


def import_as_json(imported: Imported) -> dict[str, Any]:
    """What became of the files of an import, for a program."""
    return {
        **_count_imported(imported),
        "passed_over": imported.passed_over,
        "refused": [{"path": str(path), "reason": why} for path, why in imported.refused],
    }


def media_retrieval_as_json(imported: Imported, faults: list[str]) -> dict[str, Any]:
    """What was copied from a medium, for a program; ``faults`` say what is wrong with it."""
    return {**_count_imported(imported), "problems": faults}


def _count_imported(imported: Imported) -> dict[str, int]:
    return {"new": imported.new, "already_there": imported.same, "different": imported.different}
