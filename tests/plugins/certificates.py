"""Keys and certificates for tests of TLS: ours, signed by an authority, and those of somebody else's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.interop.certificates import KeyPair


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """What both sides of the hospital trust."""
    return _made(tmp_path_factory, "hospital")


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    """What nobody there trusts."""
    return _made(tmp_path_factory, "stranger")


def _made(tmp_path_factory: pytest.TempPathFactory, name: str) -> KeyPair:
    from tests.interop.certificates import key_pair  # noqa: PLC0415 - slow to import, and few tests need it

    return key_pair(tmp_path_factory.mktemp(name), name)
