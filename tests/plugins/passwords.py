"""Passwords of tests are hashed at the least cost: at the full one each user and each login takes a quarter second.

A test of the hash itself, or of what happens while one is made, asks for ``full_passwords``.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from openmodality.console.security import secrets

_FULL = secrets._HASHER


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Hashes of argon2id that cost as little as there is, in this process."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(secrets, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def full_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes at the cost that the console gives them."""
    monkeypatch.setattr(secrets, "_HASHER", _FULL)
