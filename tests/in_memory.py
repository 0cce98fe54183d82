"""Both ends of an association in memory: what an activity asks is answered by services, without a socket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from openmodality.activities.ends import Ends
from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.service import Service
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.upper_layer.negotiation import ContextProposal
from tests.loopback import Loopback, loopback_pair


@dataclass
class InMemoryAssociation:
    """A loopback channel as an association is used: as a context manager, with an abort."""

    channel: Loopback
    proposals: Sequence[ContextProposal]
    end: str = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.end = self.end or ("released" if kind is None else "aborted")

    def release(self) -> None:
        self.end = self.end or "released"

    def abort(self) -> None:
        self.end = "aborted"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.channel, name)


@dataclass
class InMemoryPeer:
    """Answers with its services; ``opened`` are the associations that it was asked for."""

    services: Sequence[Service] = ()
    opened: list[InMemoryAssociation] = field(default_factory=list)

    def make_ends(self, **changes: Any) -> Ends:
        return Ends(RemoteAE("ARCHIVE", "localhost", 104), LocalAE("DEVICE"), **changes)

    def associate(
        self, remote: RemoteAE, local: LocalAE, proposals: Sequence[ContextProposal], services: Sequence[Service] = ()
    ) -> InMemoryAssociation:
        contexts = [
            PresentationContext(2 * number + 1, each.abstract_syntax, each.transfer_syntaxes[0])
            for number, each in enumerate(proposals)
        ]
        association = InMemoryAssociation(loopback_pair(contexts, self.services)[0], proposals)
        self.opened.append(association)
        return association
