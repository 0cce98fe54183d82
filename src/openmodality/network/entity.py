"""Who talks to whom: the values that an association is made from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from openmodality.errors import ConfigurationError
from openmodality.network.host import is_host
from openmodality.network.timeouts import DEFAULT_TIMEOUTS, Timeouts
from openmodality.standard.implementation import OWN_CLASS_UID, OWN_VERSION_NAME
from openmodality.standard.text_rules import AE_TITLE_RULE, is_ae_title
from openmodality.upper_layer.negotiation import LocalSide
from openmodality.value_class import value_class

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    ContextNow = ssl.SSLContext | Callable[[], ssl.SSLContext]
    """A TLS context, or what gives the one to use now: files of certificates are replaced while a device runs."""

DEFAULT_AE_TITLE: Final = "OPENMODALITY"
DEFAULT_MAX_PDU_LENGTH: Final = 256 * 1024
"""The longest P-DATA-TF in bytes: what is announced as taken, and what is sent to a peer without a limit.

Longer than a usual image: with 96 KiB an instance takes 5 % longer between ends of ours, and no less from storescu.
"""

MIN_MAX_PDU_LENGTH: Final = 4096
"""A lower limit makes every transfer slow, and DCMTK refuses it."""

_REMOTE: Final = re.compile(r"(?P<title>[^@]+)@(?P<host>\[[^\]]+\]|[^:\[\]]+):(?P<port>\d+)")


@value_class
class RemoteAE:
    """A peer: AE title, host name or address, port; ``ssl_context`` where it is reached under TLS.

    As a text it is what :meth:`parse` reads.
    """

    ae_title: str
    host: str
    port: int
    ssl_context: ssl.SSLContext | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.ae_title}@{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> RemoteAE:
        """Read ``AETITLE@host:port`` (an IPv6 address in brackets). Raises :class:`ConfigurationError` where it is
        none.
        """
        found = _REMOTE.fullmatch(text)
        if found is None:
            raise ConfigurationError(f"{text!r} is not a peer", advice="write it as AETITLE@host:port")
        port = int(found["port"])
        if not 0 < port < 65536:
            raise ConfigurationError(f"{text!r}: port {port} is outside 1-65535")
        return cls(normalize_ae_title(found["title"]), _check_host(found["host"].strip("[]"), text), port)


def _check_host(host: str, text: str) -> str:
    if not is_host(host):
        raise ConfigurationError(f"{text!r}: the host is neither a name nor an address")
    return host


def normalize_ae_title(text: str) -> str:
    """An AE title without the padding. Raises :class:`ConfigurationError` where PS3.5 6.2 forbids it."""
    title = text.strip(" ")
    if not is_ae_title(title):
        raise ConfigurationError(f"{text!r} is not an AE title", advice=AE_TITLE_RULE)
    return title


@value_class
class LocalAE:
    """This side of an association."""

    ae_title: str = DEFAULT_AE_TITLE
    max_pdu_length: int = DEFAULT_MAX_PDU_LENGTH
    """Announced receive limit in bytes; 0 for none."""
    max_send_pdu_length: int = 0
    """Our own limit for what we send, in bytes, below the peer's; 0 for the peer's alone."""
    implementation_class_uid: str = OWN_CLASS_UID
    implementation_version_name: str = OWN_VERSION_NAME
    timeouts: Timeouts = DEFAULT_TIMEOUTS

    def __post_init__(self) -> None:
        if self.max_pdu_length and not MIN_MAX_PDU_LENGTH <= self.max_pdu_length <= 0xFFFFFFFF:
            raise ConfigurationError(
                f"a longest PDU of {self.max_pdu_length} bytes cannot be announced",
                advice=f"give {MIN_MAX_PDU_LENGTH} to {0xFFFFFFFF}, or 0 for any",
            )

    @property
    def side(self) -> LocalSide:
        """What the negotiation says of us."""
        return LocalSide(self.implementation_class_uid, self.implementation_version_name, self.max_pdu_length)


def send_limit(local: LocalAE, peer_limit: int) -> int:
    """The longest P-DATA-TF to send, in bytes: the lower of the peer's limit and our own, else our default."""
    limits = [limit for limit in (peer_limit, local.max_send_pdu_length) if limit > 0]
    return min(limits) if limits else DEFAULT_MAX_PDU_LENGTH
