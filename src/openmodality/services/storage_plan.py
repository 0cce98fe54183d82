"""Plans the presentation contexts that instances need, and the association for each (PS3.4 B.3.1, PS3.8 9.3.2.2).

Rules: only what the instances need is proposed. A compressed transfer syntax has a context of its own, because an
acceptor that may choose Implicit VR Little Endian beside it would make us decompress (INTEROP trap 11); a second
context with the uncompressed ones is the way out when it is refused. Implicit VR Little Endian stands last. An instance
that is Implicit VR already is offered as just that: every acceptor must take the default transfer syntax. 128 contexts
fit one association; further kinds of instances go on further associations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from openmodality.dimse.channel import PresentationContext
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    UNCOMPRESSED,
)
from openmodality.standard.upper_layer import MAX_PRESENTATION_CONTEXTS
from openmodality.upper_layer.negotiation import ContextProposal
from openmodality.value_class import dataclass


class Kind(NamedTuple):
    """What decides the contexts of an instance."""

    sop_class_uid: str
    transfer_syntax: str


def make_proposals(kind: Kind, configured: Sequence[str] = ()) -> list[ContextProposal]:
    """The contexts that instances of one kind need; ``configured`` are the peer's uncompressed syntaxes, in order."""
    if kind.transfer_syntax in UNCOMPRESSED:
        return [ContextProposal(kind.sop_class_uid, tuple(configured) or _list_uncompressed(kind.transfer_syntax))]
    fallback = tuple(configured) or _list_uncompressed(EXPLICIT_VR_LITTLE_ENDIAN)
    return [
        ContextProposal(kind.sop_class_uid, (kind.transfer_syntax,)),
        ContextProposal(kind.sop_class_uid, fallback),
    ]


def _list_uncompressed(transfer_syntax: str) -> tuple[str, ...]:
    if transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN:
        return (IMPLICIT_VR_LITTLE_ENDIAN,)
    if transfer_syntax == EXPLICIT_VR_BIG_ENDIAN:
        return (EXPLICIT_VR_BIG_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)
    return (EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN)


@dataclass(frozen=True, slots=True)
class AssociationPlan:
    """The contexts of one association and the kinds it carries."""

    proposals: tuple[ContextProposal, ...]
    kinds: frozenset[Kind]


def plan_associations(
    kinds: Iterable[Kind], configured: Sequence[str] = (), limit: int = MAX_PRESENTATION_CONTEXTS
) -> list[AssociationPlan]:
    """Share the kinds out to as few associations as hold them, in the order in which they come."""
    plans: list[AssociationPlan] = []
    proposals: dict[ContextProposal, None] = {}
    carried: set[Kind] = set()
    for kind in dict.fromkeys(kinds):
        wanted = make_proposals(kind, configured)
        if carried and len({**proposals, **dict.fromkeys(wanted)}) > limit:
            plans.append(AssociationPlan(tuple(proposals), frozenset(carried)))
            proposals, carried = {}, set()
        proposals.update(dict.fromkeys(wanted))
        carried.add(kind)
    if carried:
        plans.append(AssociationPlan(tuple(proposals), frozenset(carried)))
    return plans


def choose_context(contexts: Sequence[PresentationContext], kind: Kind) -> PresentationContext | None:
    """The accepted context that an instance goes on: as it is if that is possible, else uncompressed, else ``None``."""
    fitting = [context for context in contexts if context.abstract_syntax == kind.sop_class_uid and context.as_scu]
    for transfer_syntax in (kind.transfer_syntax, EXPLICIT_VR_LITTLE_ENDIAN, *UNCOMPRESSED):
        for context in fitting:
            if context.transfer_syntax == transfer_syntax:
                return context
    return None
