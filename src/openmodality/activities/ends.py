"""Both ends of an association: the same values for an address on the command line and for a peer of a site file.

An echo starts in a tenth of a second, so this module and ``activities.echo`` import no pydicom and no device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from openmodality.dimse.service import Service
from openmodality.dimse.verdict import Judge, standard_judge
from openmodality.errors import OpenModalityError
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.standard.sop_classes import USUAL_STORAGE
from openmodality.standard.statuses import ServiceName
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.value_class import value_class

if TYPE_CHECKING:
    from pydicom import Dataset

_UNKNOWN_PEER: Final = (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)


def _note_nothing(*_: object) -> None:
    """Without a device nothing is put on record or counted."""


@value_class
class Ends:
    """The peer, and this side as it presents itself to that peer.

    ``name`` is the peer's in the site file, empty where it was given by its address. ``proposed`` are the transfer
    syntaxes that the device proposes to the peer, by abstract syntax. ``judge_of`` gives what judges the statuses of an
    operation: the device's table, else the standard's. ``query_keys`` are the keys of the device's profile by model and
    level of Query/Retrieve. ``stored`` are the transfer syntaxes that it takes instances in, by storage SOP Class.
    ``take_turn`` keeps the local AE of a device for one association. A device counts and puts on record by three
    functions: ``note_query`` is called before each query is sent, ``note_opened`` with each association,
    ``note_failure`` with the reason why there is none.
    """

    remote: RemoteAE
    local: LocalAE
    name: str = ""
    transfer_syntaxes: tuple[str, ...] = ()
    patient_root: bool = False
    proposed: Mapping[str, tuple[str, ...]] | None = None
    judge_of: Callable[[ServiceName, str], Judge] = standard_judge
    query_keys: Mapping[tuple[str, str], tuple[tuple[int, ...], ...]] | None = None
    stored: Mapping[str, tuple[str, ...]] | None = None
    take_turn: Callable[[], AbstractContextManager[object]] = nullcontext
    note_query: Callable[[str, Dataset], object] = _note_nothing
    note_opened: Callable[[Association], object] = _note_nothing
    note_failure: Callable[[OpenModalityError], object] = _note_nothing

    def make_proposal(self, abstract_syntax: str) -> ContextProposal:
        """The presentation context to propose: as the device does towards its peer, else Explicit and Implicit VR."""
        return ContextProposal(abstract_syntax, (self.proposed or {}).get(abstract_syntax, _UNKNOWN_PEER))

    def open(self, *abstract_syntaxes: str, services: Sequence[Service] = ()) -> Association:
        """An association with one presentation context for each abstract syntax.

        ``services`` answer what the peer asks on it. Raises what
        :func:`openmodality.network.requestor.associate` raises.
        """
        return self._associate([self.make_proposal(each) for each in abstract_syntaxes], services)

    def open_to_get(self, abstract_syntax: str, storage: Service) -> Association:
        """An association for a C-GET, on which the peer stores what it sends to the service ``storage``."""
        stored = self.stored or dict.fromkeys(USUAL_STORAGE, _UNKNOWN_PEER)
        proposals = [
            self.make_proposal(abstract_syntax),
            *(ContextProposal(uid, syntaxes, scu_role=False, scp_role=True) for uid, syntaxes in stored.items()),
        ]
        return self._associate(proposals, (storage,))

    def _associate(self, proposals: Sequence[ContextProposal], services: Sequence[Service]) -> Association:
        try:
            association = associate(self.remote, self.local, proposals, services)
        except OpenModalityError as error:
            self.note_failure(error)
            raise
        self.note_opened(association)
        return association
