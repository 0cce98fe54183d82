"""What is taken for a host is what Python's own resolver takes."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from openmodality.network.host import is_host, prepare_for_resolver

_LABELS = st.one_of(st.text(max_size=3), st.text("ab-", min_size=60, max_size=66))
_HOSTS = st.builds(".".join, st.lists(_LABELS, min_size=1, max_size=4))


@given(_HOSTS)
@example("")
@example("a.")
@example("a..b")
@example("münchen.example")
@example("a" * 64 + ".b")
@example("a\0b")
def test_hosts_are_those_that_can_be_encoded(host: str) -> None:
    try:
        encoded = host.encode("idna")
    except UnicodeError:
        assert not is_host(host)
        assert prepare_for_resolver(host) == host
        return
    assert is_host(host) == (bool(host) and host.isprintable() and " " not in host)
    if host.isascii() and is_host(host):
        assert prepare_for_resolver(host) == encoded
