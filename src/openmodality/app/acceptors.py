"""Builds the acceptors of this device: one for each local AE that listens, with what each peer may ask.

Only peers of the site file are known; an AE title that several of them share may do what any of them may. Verification
is always theirs. Contexts, transfer syntaxes and their order, numbers of associations and rejections are the
profile's and the site's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from openmodality.activities.connection import make_local_ae
from openmodality.activities.tls import RenewedContext, make_server_context
from openmodality.device.profile.profile import PresentationContextEntry
from openmodality.device.site.association_limits import count_accepted
from openmodality.device.site.site import LocalEntity, Peer, Site
from openmodality.dimse.service import Service
from openmodality.network.acceptor import MAX_CONNECTIONS, Acceptor, Decide, Listening
from openmodality.network.connections import NO_HOLD, Hold
from openmodality.standard.query_retrieve import GET_BY_MOVE, LEVELS
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.store.retrieve_window import RetrieveWindow
from openmodality.upper_layer.acceptance import AcceptorPolicy, Load, PeerPolicy, SyntaxPolicy, decide_answer
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.value_class import dataclass

NoteRejected = Callable[[str, A_ASSOCIATE_RJ], None]
"""Told whose association was rejected, and how."""


@dataclass(frozen=True, slots=True)
class Watching:
    """The functions that are told what happens at the acceptors.

    ``note_rejected`` is told whose association was rejected, ``note_untrusted`` from where somebody failed the TLS
    handshake, and why; ``watch`` may look at each decision.
    """

    note_rejected: NoteRejected = lambda calling, answer: None
    note_untrusted: Callable[[str, str], None] = lambda address, reason: None
    watch: Callable[[Decide], Decide] = lambda decide: decide


UNWATCHED = Watching()

_TAKES_ONLY_STORAGE = frozenset({"storage", "verification"})


def build_acceptors(
    site: Site,
    services: Sequence[Service],
    window: RetrieveWindow,
    watching: Watching = UNWATCHED,
) -> dict[str, Acceptor]:
    """One acceptor for each local AE that has a port and something to accept, by its role."""
    return {
        role: _make_acceptor(site, entity, services, window, watching)
        for role, entity in site.application_entities.items()
        if entity.port is not None and site.list_accepted(role)
    }


def _make_acceptor(
    site: Site,
    entity: LocalEntity,
    services: Sequence[Service],
    window: RetrieveWindow,
    watching: Watching,
) -> Acceptor:
    local = make_local_ae(site, entity.ae_title)
    rejections = site.profile.rejections
    any_title = site.settings.network.accept_any_called_ae_title
    policy = AcceptorPolicy(
        local=local.side,
        peer=_list_policies(site, entity.role, services),
        called_ae_titles=None if any_title else frozenset({entity.ae_title}),
        accept_unknown_verification=site.parameters.boolean("behaviour.accept_unknown_verification"),
        max_associations=count_accepted(site, entity.role),
        rejections=rejections,
    )
    listening = Listening(
        site.settings.network.bind_address,
        entity.port or 0,
        RenewedContext(site, make_server_context) if entity.tls else None,
        max(MAX_CONNECTIONS, 2 * count_accepted(site, entity.role)),  # what is beyond the limit is to be told so
        rejections,
        _make_hold(site, entity.role),
        watching.note_rejected,
        watching.note_untrusted,
    )
    decide = partial(_answer_request, policy, _watch_congestion(site, entity.role, window))
    return Acceptor(local, services, watching.watch(decide), listening)


def _make_hold(site: Site, role: str) -> Hold:
    """An AE that takes reports holds those beyond its limit for a while: some archives do not repeat them."""
    if not any(entry.service == "storage_commitment" for entry in site.list_accepted(role)):
        return NO_HOLD
    seconds = site.parameters.number("storage_commitment.hold_s")
    return Hold(site.profile.rejections["limit_reached"], seconds)


def _answer_request(
    policy: AcceptorPolicy, congested: Callable[[], bool], request: A_ASSOCIATE_RQ, load: Load
) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
    return decide_answer(request, policy, Load(load.open_associations, load.open_from_peer, congested()))


def _watch_congestion(site: Site, role: str, window: RetrieveWindow) -> Callable[[], bool]:
    """Whether an AE that only stores refuses for now, because nothing is retrieved (R/F 4.2.6.4.1.1)."""
    only_storage = {entry.service for entry in site.list_accepted(role)} <= _TAKES_ONLY_STORAGE
    if only_storage and site.parameters.boolean("behaviour.receive_only_while_retrieving"):
        return lambda: not window.is_open
    return lambda: False


def _list_policies(site: Site, role: str, services: Sequence[Service]) -> Callable[[str], PeerPolicy | None]:
    """The policy for a calling AE title; made once for each, as configuration does not change while we listen."""
    titles = {peer.ae_title for peer in site.peers.values() if not peer.is_web}
    policies = {title: _make_policy(site, role, site.find_titled_peers(title), services) for title in titles}
    return policies.get


def _make_policy(site: Site, role: str, peers: Sequence[Peer], services: Sequence[Service]) -> PeerPolicy:
    order = tuple(map(str, site.acceptor_transfer_syntaxes))
    offered = [
        entry
        for entry in site.list_accepted(role)
        if any(entry.sop_class_uid in each.abstract_syntaxes for each in services)
    ]
    syntaxes = {
        str(entry.sop_class_uid): SyntaxPolicy(
            tuple(uid for uid in order if uid in entry.transfer_syntaxes),
            scp=entry.role == "SCP",
            scu=entry.role == "SCU",
        )
        for entry in offered
        if any(_may_ask(peer, entry) for peer in peers)
    }
    if "c_get" in site.settings.extensions:
        syntaxes |= _add_get(site, syntaxes, peers)
    syntaxes.setdefault(VERIFICATION, SyntaxPolicy(order))
    limits = [peer.max_associations for peer in peers if peer.max_associations is not None]
    return PeerPolicy(
        syntaxes,
        max_associations=max(limits) if len(limits) == len(peers) else None,
        role_selection_required=any(peer.settings.role_selection_required for peer in peers),
    )


def _add_get(site: Site, syntaxes: Mapping[str, SyntaxPolicy], peers: Sequence[Peer]) -> dict[str, SyntaxPolicy]:
    """C-GET for whoever may use C-MOVE of the same model; then this side sends all that it sends to an archive.

    Of what it sends and does not take, such as Key Object documents, a requestor has to select the SCP role.
    """
    added = {
        get: syntaxes[move]
        for move, get in GET_BY_MOVE.items()
        if move in syntaxes and any(not peer.sop_classes or get in peer.sop_classes for peer in peers)
    }
    if not added:
        return {}
    order = tuple(map(str, site.acceptor_transfer_syntaxes))
    sent = {
        str(entry.sop_class_uid): SyntaxPolicy(
            tuple(uid for uid in order if uid in entry.transfer_syntaxes), scp=False, scu=True, must_select_role=True
        )
        for peer in peers
        for entry in site.list_proposed("storage", peer)
    }
    both = {uid: SyntaxPolicy(policy.transfer_syntaxes, scu=True) for uid, policy in syntaxes.items() if policy.scp}
    return sent | {uid: policy for uid, policy in both.items() if uid not in LEVELS and uid != VERIFICATION} | added


def _may_ask(peer: Peer, entry: PresentationContextEntry) -> bool:
    if entry.sop_class_uid == VERIFICATION:
        return True
    allowed = not peer.sop_classes or entry.sop_class_uid in peer.sop_classes
    return allowed and peer.may_ask(entry.service)
