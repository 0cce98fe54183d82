from __future__ import annotations

from collections.abc import Callable

import pytest

from openmodality.activities import ends
from openmodality.dimse.service import Service
from tests.in_memory import InMemoryPeer


@pytest.fixture
def in_memory_peer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., InMemoryPeer]:
    """Makes a peer of services, to which every activity of the test speaks."""

    def make(*services: Service) -> InMemoryPeer:
        peer = InMemoryPeer(services)
        monkeypatch.setattr(ends, "associate", peer.associate)
        return peer

    return make
