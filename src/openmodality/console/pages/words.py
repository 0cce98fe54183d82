"""Counts and results in words, for all screens."""

from __future__ import annotations

from typing import Final

from pydicom.datadict import dictionary_description

from openmodality.counted import format_count
from openmodality.store.states import JobKind

DEEDS: Final = {
    JobKind.SEND: "Send",
    JobKind.COMMIT: "Ask to keep",
    JobKind.MPPS_CREATE: "Report the start of the exam",
    JobKind.MPPS_SET: "Report the end of the exam",
    JobKind.PRINT: "Print",
    JobKind.MEDIA: "Write a disc",
    JobKind.RETRIEVE: "Retrieve",
    JobKind.AUDIT: "Deliver the audit trail",
}
"""What a job of each kind does."""
OBJECTS: Final = frozenset({JobKind.SEND, JobKind.COMMIT, JobKind.PRINT, JobKind.MEDIA})
"""Kinds of job that are about instances, which are counted."""


def describe_count(number: int, what: str) -> str:
    """A number with its noun as pages show it: ``1 image``, ``3,000 images``."""
    return format_count(number, what, thousands=",")


def describe_attribute(tag: int) -> str:
    """An attribute as PS3.6 names it: ``Patient's Name``."""
    return dictionary_description(tag)
