"""Who talks to whom, as it is written and checked."""

from __future__ import annotations

import pytest

from openmodality.errors import ConfigurationError
from openmodality.network.entity import LocalAE, RemoteAE


@pytest.mark.parametrize("text", ["A@host:104", "A@127.0.0.1:104", "A@[::1]:104", "A@[fe80::1%eth0]:104", "A@h.:104"])
def test_a_peer_reads_back_as_it_was_written(text: str) -> None:
    assert str(RemoteAE.parse(text)) == text
    assert "[" not in RemoteAE.parse(text).host


@pytest.mark.parametrize("host", ["a..b", ".", "x" * 64, f"a.{'y' * 70}.org", "a b", "a\0b", "ä" * 70, "\udcff"])
def test_a_host_that_no_resolver_takes_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="the host is neither a name nor an address"):
        RemoteAE.parse(f"A@{host}:104")


@pytest.mark.parametrize("length", [0, 4096, 0xFFFFFFFF])
def test_a_longest_pdu_that_can_be_announced(length: int) -> None:
    assert LocalAE(max_pdu_length=length).side.max_pdu_length == length


@pytest.mark.parametrize("length", [-1, 1, 3, 4095, 1 << 32])
def test_a_longest_pdu_that_cannot_be_announced(length: int) -> None:
    with pytest.raises(ConfigurationError, match="cannot be announced"):
        LocalAE(max_pdu_length=length)
