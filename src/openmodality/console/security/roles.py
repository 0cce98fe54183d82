"""The permissions of roles and of tokens of programs: one table for console, REST and DICOMweb."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """Something that a person or a program may do."""

    VIEW = "view"
    OPERATE = "operate"
    CONTROL = "control"
    DELETE = "delete"
    CHECK = "check"
    MANAGE = "manage"
    AUDIT = "audit"

    @property
    def meaning(self) -> str:
        """What it allows, in words."""
        return _MEANINGS[self]


_MEANINGS: Final = {
    Permission.VIEW: "see worklist, exams, images and jobs",
    Permission.OPERATE: "ask RIS and archives, start and end exams, send, retrieve, run jobs again",
    Permission.CONTROL: "cancel jobs and send them elsewhere",
    Permission.DELETE: "delete images",
    Permission.CHECK: "ask peers whether they are there",
    Permission.MANAGE: "change users and settings",
    Permission.AUDIT: "read the audit trail",
}


class UserRole(StrEnum):
    """A role of a user; a user may have several."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    SENIOR = "senior"
    SERVICE = "service"
    AUDITOR = "auditor"


PERMISSIONS: Final = {
    UserRole.VIEWER: frozenset({Permission.VIEW}),
    UserRole.OPERATOR: frozenset({Permission.VIEW, Permission.OPERATE, Permission.CHECK}),
    UserRole.SENIOR: frozenset(
        {Permission.VIEW, Permission.OPERATE, Permission.CHECK, Permission.CONTROL, Permission.DELETE}
    ),
    UserRole.SERVICE: frozenset({Permission.VIEW, Permission.CHECK, Permission.CONTROL, Permission.MANAGE}),
    UserRole.AUDITOR: frozenset({Permission.AUDIT}),
}
FIRST_USER: Final = (UserRole.SENIOR, UserRole.SERVICE)
"""The roles of whoever opens the set-up link: enough to work, and to make the others."""


def list_permissions(roles: tuple[str, ...]) -> frozenset[Permission]:
    """What these roles allow together."""
    return frozenset().union(*(PERMISSIONS[UserRole(role)] for role in roles))
