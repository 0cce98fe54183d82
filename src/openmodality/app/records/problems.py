"""Problems of instance files as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openmodality.app.records.values import format_zoned
from openmodality.store.listing.problems import Problem


def problem_as_json(problem: Problem) -> Mapping[str, Any]:
    """A problem for a program."""
    return {
        "problem": problem.id,
        "kind": problem.kind.value,
        "SOPInstanceUID": problem.sop_instance_uid,
        "file": problem.file,
        "reason": problem.reason,
        "origin": problem.origin.value,
        "source": problem.source,
        "at": format_zoned(problem.at),
        "dismissed": problem.dismissed,
    }
