"""What we propose and what we accept, seen from the other end of the connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless
from pynetdicom import AE, evt
from pynetdicom.sop_class import CTImageStorage, MRImageStorage, Verification  # type: ignore[attr-defined]

from openmodality.errors import UsageError
from openmodality.network.acceptor import Listening
from openmodality.network.acceptor_policy import decide_by
from openmodality.network.entity import LocalAE
from openmodality.network.storage.sent import SendOptions
from openmodality.standard.implementation import OWN_CLASS_UID, OWN_VERSION_NAME
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy, SyntaxPolicy
from openmodality.upper_layer.negotiation import ContextProposal
from tests.interop import contents, ours
from tests.peers import objects, pynetdicom_ae
from tests.peers.process import HOST, Address, free_port

IMPLICIT, EXPLICIT, BIG = str(ImplicitVRLittleEndian), str(ExplicitVRLittleEndian), str(ExplicitVRBigEndian)
XA, RF, CR = (f"1.2.840.10008.5.1.4.1.1.{tail}" for tail in ("12.1", "12.2", "1"))
ENHANCED_MR, SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.7"
PRESENTATION_STATE, KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.11.1", "1.2.840.10008.5.1.4.1.1.88.59"


@dataclass
class Witness:
    """A Storage SCP that takes everything and remembers what was proposed to it, association by association."""

    address: Address = field(default_factory=lambda: Address("", 0))
    proposed: list[list[tuple[str, list[str]]]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    identity: tuple[str, str | None, int | None] = ("", "", 0)
    stored: list[str] = field(default_factory=list)

    def note(self, event: evt.Event) -> None:
        requestor = event.assoc.requestor
        assert requestor.primitive is not None
        contexts = requestor.primitive.presentation_context_definition_list
        self.proposed.append([(str(c.abstract_syntax), [str(uid) for uid in c.transfer_syntax]) for c in contexts])
        self.kinds |= {type(item).__name__ for item in requestor.primitive.user_information}
        self.identity = (
            str(requestor.implementation_class_uid), requestor.implementation_version_name, requestor.maximum_length
        )  # fmt: skip

    def keep(self, event: evt.Event) -> int:
        self.stored.append(event.file_meta.MediaStorageSOPInstanceUID)
        return 0


@pytest.fixture
def witness() -> Iterator[Witness]:
    seen = Witness()
    entity = AE("WITNESS")
    for uid in (MRImageStorage, CTImageStorage):
        entity.add_supported_context(uid, [IMPLICIT, EXPLICIT, BIG, RLELossless])
    handlers = [(evt.EVT_REQUESTED, seen.note), (evt.EVT_C_STORE, seen.keep)]
    with pynetdicom_ae.serving([], handlers, ae=entity) as seen.address:
        yield seen


def test_trap_10_a_job_proposes_exactly_what_it_needs(tmp_path: Path, witness: Witness) -> None:
    """Each context once, Implicit VR last, one operation at a time, no extended negotiation."""
    paths = [*objects.mr_series(tmp_path, 3), objects.save(objects.ct_image(), tmp_path)]
    assert all(sent.is_stored for sent in ours.send_files(witness.address, paths))
    assert witness.proposed == [[(MRImageStorage, [EXPLICIT, IMPLICIT]), (CTImageStorage, [EXPLICIT, IMPLICIT])]]
    assert witness.kinds == {
        "MaximumLengthNotification", "ImplementationClassUIDNotification", "ImplementationVersionNameNotification"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("transfer_syntax", "proposed"),
    [(IMPLICIT, [IMPLICIT]), (EXPLICIT, [EXPLICIT, IMPLICIT]), (BIG, [BIG, EXPLICIT, IMPLICIT])],
)
def test_implicit_stands_last(tmp_path: Path, witness: Witness, transfer_syntax: str, proposed: list[str]) -> None:
    path = contents.saved(transfer_syntax, tmp_path)
    assert ours.send_files(witness.address, [path])[0].is_stored
    assert witness.proposed == [[(MRImageStorage, proposed)]]


def test_trap_11_compressed_transfer_syntax_is_alone_in_its_context(tmp_path: Path, witness: Witness) -> None:
    path = contents.saved(RLELossless, tmp_path)
    assert ours.send_files(witness.address, [path])[0].is_stored
    assert witness.proposed == [[(MRImageStorage, [RLELossless]), (MRImageStorage, [EXPLICIT, IMPLICIT])]]


@pytest.mark.parametrize("configured", [(EXPLICIT,), (IMPLICIT,), (IMPLICIT, EXPLICIT), (BIG, IMPLICIT)])
def test_transfer_syntaxes_that_are_configured_for_a_peer(
    tmp_path: Path, witness: Witness, configured: tuple[str, ...]
) -> None:
    path = contents.saved(EXPLICIT, tmp_path)
    [sent] = ours.send_files(witness.address, [path], options=SendOptions(configured))
    assert sent.is_stored, sent.error
    assert witness.proposed == [[(MRImageStorage, list(configured))]]


def test_we_say_who_we_are(tmp_path: Path, witness: Witness) -> None:
    path = contents.saved(EXPLICIT, tmp_path)
    ours.send_files(witness.address, [path])
    assert witness.identity[:2] == (OWN_CLASS_UID, OWN_VERSION_NAME)
    local = LocalAE("OURS", 32768, implementation_class_uid="1.2.3.4", implementation_version_name="SITE")
    ours.send_files(witness.address, [path], local)
    assert witness.identity == ("1.2.3.4", "SITE", 32768)


def test_trap_10_more_kinds_than_fit_one_association_take_several(tmp_path: Path) -> None:
    """129 kinds of instance: two associations, no context proposed twice in one, everything stored."""
    paths = []
    for number in range(129):
        image = objects.mr_image(rows=2, columns=2)
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = f"1.2.3.{number}"  # type: ignore[assignment]
        paths.append(objects.save(image, tmp_path / "files"))
    requests: list[int] = []
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: PeerPolicy({}, other=SyntaxPolicy((EXPLICIT,))))
    decide = decide_by(policy)

    def noting(rq, load):  # type: ignore[no-untyped-def]
        contexts = rq.presentation_contexts
        assert len({(c.abstract_syntax, c.transfer_syntaxes) for c in contexts}) == len(contexts)
        requests.append(len(contexts))
        return decide(rq, load)

    with ours.archive(tmp_path / "received", decide=noting) as here:
        sent = ours.send_files(here, paths)
        assert [one for one in sent if not one.is_stored] == []
        assert len(here.folder.files()) == 129
    assert requests == [128, 1]


def test_more_than_128_contexts_cannot_be_asked_of_one_association() -> None:
    proposals = [ContextProposal(f"1.2.3.{number}", (IMPLICIT,)) for number in range(129)]
    with pytest.raises(UsageError, match="129 presentation contexts do not fit one association"):
        ours.associated(Address("NOBODY", 104), proposals)


def test_only_configured_contexts_are_accepted(tmp_path: Path) -> None:
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: PeerPolicy({MRImageStorage: SyntaxPolicy((IMPLICIT,))}))
    with (
        ours.archive(tmp_path, decide=decide_by(policy)) as here,
        pynetdicom_ae.associated(here, [MRImageStorage, CTImageStorage]) as association,
    ):
        assert [c.abstract_syntax for c in association.accepted_contexts] == [MRImageStorage]
        assert [c.abstract_syntax for c in association.rejected_contexts] == [CTImageStorage]


def test_transfer_syntax_is_chosen_by_our_order(tmp_path: Path) -> None:
    order = (IMPLICIT, EXPLICIT, BIG)
    policy = AcceptorPolicy(ours.LOCAL.side, lambda _: PeerPolicy({MRImageStorage: SyntaxPolicy(order)}))
    offers = {(EXPLICIT, IMPLICIT, BIG): IMPLICIT, (BIG, EXPLICIT): EXPLICIT, (BIG,): BIG}
    with ours.archive(tmp_path, decide=decide_by(policy)) as here:
        for offered, chosen in offers.items():
            with pynetdicom_ae.associated(here, [MRImageStorage], transfer_syntaxes=list(offered)) as association:
                assert association.accepted_contexts[0].transfer_syntax == [chosen]


def test_each_peer_has_its_own_services(tmp_path: Path) -> None:
    peers = {
        "READER": PeerPolicy({MRImageStorage: SyntaxPolicy((IMPLICIT,))}),
        "OTHER": PeerPolicy({CTImageStorage: SyntaxPolicy((IMPLICIT,))}),
    }
    with ours.archive(tmp_path, decide=decide_by(AcceptorPolicy(ours.LOCAL.side, peers.get))) as here:
        for title, uid in (("READER", MRImageStorage), ("OTHER", CTImageStorage)):
            with pynetdicom_ae.associated(here, [MRImageStorage, CTImageStorage], calling=title) as association:
                assert [c.abstract_syntax for c in association.accepted_contexts] == [uid]
        stranger = AE("STRANGER")
        stranger.add_requested_context(MRImageStorage)
        assert pynetdicom_ae.find_rejection(stranger, here) == (1, 1, 3)


STORAGE_CLASSES = [MRImageStorage, ENHANCED_MR, SECONDARY_CAPTURE, PRESENTATION_STATE, KEY_OBJECTS, XA, RF, CR]


@pytest.mark.parametrize("transfer_syntax", [IMPLICIT, EXPLICIT, BIG], ids=["implicit", "explicit", "big-endian"])
def test_every_storage_class_of_both_devices_as_scu_and_scp(tmp_path: Path, transfer_syntax: str) -> None:
    paths = []
    for uid in (*STORAGE_CLASSES, "1.2.840.10008.5.1.4.1.1.88.67"):
        instance = objects.mr_image(rows=4, columns=4, transfer_syntax=transfer_syntax)
        instance.SOPClassUID = instance.file_meta.MediaStorageSOPClassUID = uid
        paths.append(objects.save(instance, tmp_path / "files"))
    with ours.archive(tmp_path / "received") as here:
        sent = ours.send_files(here, paths)
        assert [one for one in sent if not one.is_stored] == []
        stored = {request.identity.sop_class_uid for request in here.folder.requests}
        for path in paths:
            contents.assert_same_content(path, tmp_path / "received" / path.name)
    assert stored == {*map(str, STORAGE_CLASSES), "1.2.840.10008.5.1.4.1.1.88.67"}


def test_no_private_transfer_syntax_is_known_or_accepted(tmp_path: Path) -> None:
    assert [uid for uid in TRANSFER_SYNTAXES if not uid.startswith("1.2.840.10008.")] == []
    private = AE("PRIVATE")
    private.add_requested_context(MRImageStorage, "1.2.3.4.5")
    with ours.archive(tmp_path) as here:
        association = private.associate(here.host, here.port, ae_title=here.aet)
        assert [context.result for context in association.rejected_contexts] == [4]


def test_listens_with_tcp_sockets_on_the_port_that_is_configured(tmp_path: Path) -> None:
    port = free_port()
    with ours.archive(tmp_path, listening=Listening(HOST, port)) as here:
        assert here.port == port
        with pynetdicom_ae.associated(here, [Verification]) as association:
            assert association.send_c_echo().Status == 0
