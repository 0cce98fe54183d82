"""This device as Retrieve SCP: it sends what a peer asks for to a peer of the site file (PS3.4 Annex C, C-MOVE;
MR-3.3.3).

The association to the destination is one of the storage AE, which opens one at a time (MR-3.1.2-01): while a send job
has it, the requestor gets Pending responses, and after a while A702H. A Patient ID that several patients share is
refused: the requestor is told to ask for studies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from openmodality.activities.audit_transfers import TransferTrail
from openmodality.activities.connection import Connector
from openmodality.activities.enhanced_forms import read_forms, read_pairs
from openmodality.activities.send import make_reader, make_send_options, open_planned
from openmodality.audit.events import Partner
from openmodality.device.site.site import Peer
from openmodality.dimse.channel import Channel
from openmodality.dimse.service import Refuse
from openmodality.encoding.headers import format_tag
from openmodality.errors import StoreError
from openmodality.network.storage.getting import ChannelTransfer
from openmodality.network.storage.moving import FileTransfer, StoredFile
from openmodality.network.storage.reader import Decompress
from openmodality.network.storage.sent import SendOptions
from openmodality.objects.site_objects import find_uid_maker
from openmodality.query.moving import SubOperation, Transfer
from openmodality.services.query_retrieve import (
    CANNOT_PROCESS_RETRIEVE,
    MOVE_DESTINATION_UNKNOWN,
    MoveRequest,
)
from openmodality.services.storage import MoveOriginator
from openmodality.standard.query_retrieve import LEVELS_BY_KEY, Level
from openmodality.standard.tags import PATIENT_ID
from openmodality.store.listing.retrieve_rows import count_patients, read_retrieved
from openmodality.store.local import LocalStore

MAX_WAIT_S: Final = 60.0
"""How long a retrieve waits for the association of the storage AE; two devices that retrieve from each other might
wait for ever.
"""
_TELL_S: Final = 5.0
"""How often the requestor is told meanwhile that its request is being worked on."""


class StoredInstances:
    """Fulfils :class:`openmodality.services.query_retrieve.MoveSource` with the local database."""

    def __init__(self, store: LocalStore, connections: Connector, decompress: Decompress | None = None) -> None:
        self._store = store
        self._connections = connections
        self._decompress = decompress

    def open(self, request: MoveRequest) -> Transfer:
        """The sub-operations of a retrieve."""
        peer = self._find_destination(request.destination)
        site = self._connections.site
        files = self._choose_form(find_files(self._store, request), peer.name)
        originator = MoveOriginator(request.peer.calling_ae_title, request.message_id)
        options = replace(make_send_options(site, peer), originator=originator, priority=request.priority)
        associate = partial(open_planned, self._connections, peer)
        watch = partial(self._connections.traffic.watch, peer.name)
        transfer = FileTransfer(files, associate, make_reader(site, self._decompress), options, watch)
        partner = self._connections.make_partner("storage", peer)
        return self._put_on_record(TurnedTransfer(transfer, self._connections), partner)

    def _put_on_record(self, transfer: Transfer, partner: Partner) -> Transfer:
        trail = self._connections.trail
        return transfer if trail is None else TransferTrail(transfer, trail, partner)

    def open_on(self, channel: Channel, request: MoveRequest) -> Transfer:
        """The sub-operations of a C-GET, on the association on which it came."""
        site = self._connections.site
        (peer, *_) = site.find_titled_peers(request.peer.calling_ae_title) or (None,)
        files = self._choose_form(find_files(self._store, request), peer.name if peer else "")
        judge = site.judge_of("storage", "C-STORE", peer)
        reader = make_reader(site, self._decompress)
        options = SendOptions(judge=judge, priority=request.priority)
        transfer = ChannelTransfer(files, channel, request.message_id, reader, options)
        caller = request.peer
        partner = Partner(caller.calling_ae_title.strip(), caller.address, caller.called_ae_title.strip())
        return self._put_on_record(transfer, partner)

    def _choose_form(self, files: list[StoredFile], peer: str) -> list[StoredFile]:
        """The files of one form only, enhanced images or their classic series: the form that the peer has, or gets."""
        site = self._connections.site
        if not any(each.settings.enhanced_or_classic for each in site.peers.values()):
            return files
        with self._store.read() as snapshot:
            pairs = read_pairs(snapshot, [each.sop_instance_uid for each in files])
            forms = read_forms(snapshot, find_uid_maker(site), pairs)
            chosen = {uid for _, uid in forms.choose_sent(snapshot, peer, pairs)}
        return [each for each in files if each.sop_instance_uid in chosen]

    def _find_destination(self, ae_title: str) -> Peer:
        """The peer of a title, one that stores where there are several."""
        peers = self._connections.site.find_titled_peers(ae_title)
        if not peers:
            raise Refuse(MOVE_DESTINATION_UNKNOWN, "no peer of the site file has this AE title")
        return max(peers, key=lambda peer: peer.offers("storage"))


def find_files(store: LocalStore, request: MoveRequest) -> list[StoredFile]:
    """The files of what a retrieve names. Raises :class:`Refuse` where a Patient ID names several patients."""
    keys = {LEVELS_BY_KEY[tag]: values for tag, values in request.keys.items() if values}
    with store.read() as snapshot:
        if PATIENT_ID in request.keys and set(keys) == {Level.PATIENT}:
            (patient_id,) = keys[Level.PATIENT]
            if count_patients(snapshot, patient_id) > 1:
                comment = f"several patients have this {format_tag(PATIENT_ID)}"
                raise Refuse(CANNOT_PROCESS_RETRIEVE, comment, (PATIENT_ID,))
        uids = read_retrieved(snapshot, {Level(level): values for level, values in keys.items()})
    return [StoredFile(uid, store.files.path(uid)) for uid in uids]


class TurnedTransfer:
    """Fulfils :class:`openmodality.query.moving.Transfer`: a transfer that waits for its turn first."""

    def __init__(self, transfer: FileTransfer, connections: Connector) -> None:
        self._transfer = transfer
        self._connections = connections

    @property
    def sop_instance_uids(self) -> Sequence[str]:
        """The instances that match."""
        return self._transfer.sop_instance_uids

    @property
    def reason(self) -> str:
        """Why instances failed."""
        return self._transfer.reason

    def perform(self) -> Iterator[tuple[str, SubOperation] | None]:
        """Send one instance after the other, once no other association of the storage AE is open.

        Raises :class:`StoreError` where that takes too long.
        """
        if not self.sop_instance_uids:
            return
        waited_s = 0.0
        while waited_s < MAX_WAIT_S:
            with self._connections.await_turn("storage", _TELL_S) as is_ours:
                if is_ours:
                    yield from self._transfer.perform()
                    return
            waited_s += _TELL_S
            yield None
        raise StoreError("another association of this device is open; try again later")
