"""MR 10: TLS per peer and per listening application entity."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from openmodality.errors import OpenModalityError
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from tests.acceptance.requirements.recording import Change, Recorded, Secure, recorded
from tests.interop.certificates import KeyPair
from tests.peers.process import HOST

SITE_NAMES = {"ris": "[peers.ris]", "pacs": "[peers.pacs]", "OM_MR": "[application_entities.device]"}


def secured(keys: KeyPair, lines: frozenset[str], more: str = "") -> list[Change]:
    """What the site file says where the device has TLS on these lines and on no other; all files are PEM."""
    for file in (keys.certificate, keys.key, keys.authority):
        assert file.read_bytes().startswith(b"-----BEGIN ")
    tls = (
        f'[tls]\ncertificate = "{keys.certificate}"\nprivate_key = "{keys.key}"\nca_certificates = "{keys.authority}"\n'
    )
    switches = [(text, f"{text}\ntls = {str(name in lines).lower()}") for name, text in SITE_NAMES.items()]
    return [("[tls]\n", f"{tls}{more}\n"), *switches]


@pytest.mark.requirement(
    "MR-10.1.1-01", "MR-10.1.1-02", "MR-10.1.1-06", "MR-10.1.1-08", "MR-10.3.1-01", "MR-10.3.1-03", "MR-10.4.1-01",
    "MR-10.4.1-03", "MR-11.2-05",
)  # fmt: skip
@pytest.mark.parametrize("lines", [{"ris", "pacs", "OM_MR"}, {"ris"}, {"pacs"}, {"OM_MR"}], ids=sorted)
def test_exam_under_tls_where_it_is_switched_on(tmp_path: Path, keys: KeyPair, lines: set[str]) -> None:
    """Each relay takes either TLS or none: what came through proves which one the device speaks."""
    secure = Secure(keys, frozenset(lines))
    with recorded(tmp_path, "mr", change=secured(keys, secure.lines), secure=secure) as at:
        at.scheduled_exam()
        assert {talk.to for talk in at.tap.conversations} == {"ris", "pacs", "OM_MR"}
        commands = {message.name for talk in at.tap.conversations for message in talk.asked()}
        assert commands == {"C-FIND", "N-CREATE", "C-STORE", "N-SET", "N-ACTION", "N-EVENT-REPORT"}
        assert {talk.end for talk in at.tap.conversations} == {"released"}


def is_taken(at: Recorded, context: ssl.SSLContext | None) -> bool:
    """Whether the device answers a requestor that shows what this context has, past all relays."""
    port = at.modality.site.application_entities["device"].port
    assert port is not None
    peer = RemoteAE("OM_MR", HOST, port, context)
    try:
        with associate(peer, LocalAE("OM_PACS"), [ContextProposal(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,))]) as made:
            return echo(made) == 0
    except OpenModalityError:
        return False


@pytest.mark.requirement("MR-10.1.1-03", "MR-10.1.1-04")
@pytest.mark.parametrize("required", [True, False])
def test_requestors_are_asked_for_a_certificate(
    tmp_path: Path, keys: KeyPair, strangers: KeyPair, required: bool
) -> None:
    """One of a stranger is refused even where none is required: so it is asked for in any case."""
    stranger = keys.client(shows_certificate=False)
    stranger.load_cert_chain(strangers.certificate, strangers.key)
    more = f"require_client_certificate = {str(required).lower()}"
    with recorded(tmp_path, "mr", change=secured(keys, frozenset({"OM_MR"}), more)) as at:
        assert is_taken(at, keys.client())
        assert not is_taken(at, stranger)
        assert is_taken(at, keys.client(shows_certificate=False)) is not required
        assert not is_taken(at, None)
