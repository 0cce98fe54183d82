"""Peers that are reached over DICOMweb: their URL, our credentials there, and a check whether they answer (PS3.18).

A password or token stands in a file of its own (``password_file``, ``token_file``), never in the site file, and is read
for each connection: so a renewed token is used at once.
"""

from __future__ import annotations

import base64
from pathlib import Path
from time import perf_counter
from typing import Final

from openmodality.activities.connection import find_response_timeout_s
from openmodality.activities.echo import EchoAnswer
from openmodality.activities.tls import make_web_context
from openmodality.device.site.association_limits import find_identity
from openmodality.device.site.site import Peer, Site
from openmodality.dimse.channel import FOREVER
from openmodality.errors import ConfigurationError
from openmodality.network.web_client import WebAddress, WebAnswer, WebConnection, parse_address

_WITHOUT_TIME_OUT_S: Final = 7 * 24 * 3600.0
"""Where a site waits for ever: a socket has no such time-out."""
_NO_STUDY: Final = "2.25.0"
"""A UID that no study has."""
_NOT_THERE: Final = frozenset((404, 405, 501))


def open_web_peer(site: Site, peer: Peer) -> WebConnection:
    """A connection to a peer of DICOMweb, not opened yet. Raises :class:`ConfigurationError`."""
    answer_s = find_response_timeout_s(peer, "storage.response_timeout_s")
    connect_s = peer.parameters.number("general.connect_timeout_s") or FOREVER
    limits = (min(each, _WITHOUT_TIME_OUT_S) for each in (connect_s, answer_s))
    return WebConnection(find_web_address(site, peer), *limits)


def find_web_address(site: Site, peer: Peer) -> WebAddress:
    """Where a peer is. Under ``https`` its certificate is checked against its name, with the CAs of system and site."""
    url = peer.settings.url
    if not url.startswith("https://"):
        return parse_address(url, None)
    return parse_address(url, make_web_context(site))


def make_web_headers(site: Site, peer: Peer) -> dict[str, str]:
    """The headers of each request to a peer: our name and our credentials. Raises :class:`ConfigurationError`."""
    headers = {"Accept": "application/dicom+json", "User-Agent": f"OpenModality ({find_identity(site)[1]})"}
    settings = peer.settings
    if settings.token_file:
        headers["Authorization"] = f"Bearer {_read_secret(site, peer, settings.token_file)}"
    elif settings.user:
        password = _read_secret(site, peer, settings.password_file)
        pair = base64.b64encode(f"{settings.user}:{password}".encode()).decode("ascii")
        headers["Authorization"] = f"Basic {pair}"
    return headers


def _read_secret(site: Site, peer: Peer, name: str) -> str:
    file: Path = site.folder / name
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"peer {peer.name}: {file} cannot be read") from error
    if not text or not text.isprintable():
        raise ConfigurationError(f"peer {peer.name}: {file} is empty, or has more than one line")
    return text


def echo_web_peer(site: Site, peer: Peer) -> EchoAnswer:
    """Whether a peer of DICOMweb is there and lets us in: a search for a study that nobody has; where it has no search,
    what it can do (OPTIONS). Raises :class:`ConfigurationError` and the errors of a connection.
    """
    headers, started = make_web_headers(site, peer), perf_counter()
    with open_web_peer(site, peer) as connection:
        path = f"/studies?StudyInstanceUID={_NO_STUDY}&limit=1"
        answer, asked = connection.ask("GET", path, headers), "a search (QIDO-RS)"
        if answer.status in _NOT_THERE:
            answer, asked = connection.ask("OPTIONS", "/studies", headers), "OPTIONS"
    return EchoAnswer(
        answer.status,
        200 <= answer.status < 300,
        perf_counter() - started,
        said=f"answered {describe_web_status(answer)} to {asked}",
    )


def describe_web_status(answer: WebAnswer) -> str:
    """A status of HTTP with what it means here."""
    meaning = _MEANINGS.get(answer.status, "")
    return f"{answer.status} {meaning}" if meaning else str(answer.status)


_MEANINGS: Final = {
    200: "OK",
    202: "accepted in part",
    204: "OK, nothing found",
    400: "the request is wrong",
    401: "it does not know us: look at user, password_file or token_file",
    403: "it does not allow this",
    404: "there is no such service: look at url",
    405: "it does not do this",
    406: "it does not answer in JSON",
    409: "nothing was stored",
    411: "it requires a length",
    413: "too much at once",
    415: "it does not take instances in this way",
    429: "too many requests",
    500: "its own fault",
    501: "it does not do this",
    502: "a server in front of it reaches it not",
    503: "it has no room or no time now",
    504: "a server in front of it waited in vain",
    507: "it is full",
}
