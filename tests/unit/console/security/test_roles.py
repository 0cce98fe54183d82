from __future__ import annotations

from openmodality.console.security.roles import FIRST_USER, PERMISSIONS, Permission, UserRole, list_permissions


def test_every_role_and_permission_is_settled() -> None:
    assert set(PERMISSIONS) == set(UserRole)
    assert frozenset().union(*PERMISSIONS.values()) == set(Permission)
    assert all(permission.meaning for permission in Permission)


def test_who_may_do_harm() -> None:
    assert {role for role in UserRole if Permission.DELETE in PERMISSIONS[role]} == {UserRole.SENIOR}
    assert {role for role in UserRole if Permission.MANAGE in PERMISSIONS[role]} == {UserRole.SERVICE}
    assert {role for role in UserRole if Permission.OPERATE in PERMISSIONS[role]} == {
        UserRole.OPERATOR,
        UserRole.SENIOR,
    }
    assert PERMISSIONS[UserRole.AUDITOR] == {Permission.AUDIT}, "reads no patient's data"


def test_roles_add_up() -> None:
    assert list_permissions(FIRST_USER) == set(Permission) - {Permission.AUDIT}
    assert list_permissions(()) == frozenset()
