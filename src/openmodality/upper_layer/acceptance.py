"""What an acceptor answers to an A-ASSOCIATE-RQ (PS3.8 7.1, 9.3.3, 9.3.4; PS3.7 D.3). A pure function of request,
policy and load.

Rules:
- What is permanent is looked at before what is transient, so that a peer which is wrongly configured hears that and
  not "later". In order: protocol version, application context, called AE title, calling AE title, temporary
  congestion, limits, contexts.
- AE titles are compared without leading and trailing spaces.
- Each context is answered by itself. A request in which nothing is acceptable is accepted with all contexts rejected,
  or rejected, as the policy says: peers differ in which of the two they understand.
- The transfer syntax is chosen by our order of preference.
- A context id that is even is answered like an odd one: a toolkit in use proposes 2, and nothing depends on it.
- The asynchronous operations window is returned only where it is asked for and ours is wider than one operation; we
  never invoke more than one ourselves as acceptor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set

from openmodality.standard import upper_layer as facts
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN
from openmodality.standard.value_lengths import MAX_CHARACTERS
from openmodality.upper_layer.items import PresentationContextAC, PresentationContextRQ
from openmodality.upper_layer.negotiation import LocalSide, find_role_selection
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.rejections import (
    NO_REASON_GIVEN,
    PROTOCOL_VERSION_NOT_SUPPORTED,
    STANDARD_REJECTIONS,
    Rejections,
)
from openmodality.upper_layer.user_information import AsynchronousOperationsWindow, RoleSelection, UserInformation
from openmodality.value_class import value_class


@value_class
class SyntaxPolicy:
    """How one abstract syntax is taken: transfer syntaxes in our order of preference, and the roles that we play.

    ``scp`` answers a requestor that is SCU, the default. ``scu`` answers one that selects the SCP role.
    ``must_select_role`` is for what any peer has to select a role for, also one that may omit it elsewhere.
    """

    transfer_syntaxes: tuple[str, ...]
    scp: bool = True
    scu: bool = False
    must_select_role: bool = False


@value_class
class PeerPolicy:
    """What one peer may have. ``other`` takes abstract syntaxes that ``abstract_syntaxes`` does not list, None none.

    ``role_selection_required`` off tolerates a peer that omits the role selection for an abstract syntax which we take
    as SCU only, as peers do when they report a storage commitment.
    """

    abstract_syntaxes: Mapping[str, SyntaxPolicy]
    other: SyntaxPolicy | None = None
    role_selection_required: bool = True
    max_associations: int | None = None


@value_class
class AcceptorPolicy:
    """What an acceptor takes. ``peer`` gives the policy for a calling AE title, None for one that is not known.

    ``called_ae_titles`` None takes any. ``max_associations`` None means no limit. ``max_operations_performed`` is how
    many requests a requestor may have open at once where it asks for that. ``rejections`` are the answers by situation.
    """

    local: LocalSide
    peer: Callable[[str], PeerPolicy | None]
    called_ae_titles: Set[str] | None = None
    ignore_case: bool = False
    accept_unknown_verification: bool = False
    reject_without_contexts: bool = False
    max_associations: int | None = None
    max_operations_performed: int = 1
    rejections: Rejections = STANDARD_REJECTIONS


@value_class
class Load:
    """How busy the acceptor is, not counting the association that is asked for."""

    open_associations: int = 0
    open_from_peer: int = 0
    congested: bool = False


_IDLE = Load()
_VERIFICATION_ONLY = PeerPolicy({VERIFICATION: SyntaxPolicy((EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN))})


def decide_answer(rq: A_ASSOCIATE_RQ, policy: AcceptorPolicy, load: Load = _IDLE) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
    """The answer to ``rq``."""
    if not rq.protocol_version & facts.PROTOCOL_VERSION:
        return PROTOCOL_VERSION_NOT_SUPPORTED
    if rq.application_context_name != facts.APPLICATION_CONTEXT_NAME:
        return policy.rejections["application_context"]
    if not _is_called(rq.called_ae_title, policy):
        return policy.rejections["called_ae_title"]
    peer = _find_peer_policy(rq, policy)
    if peer is None:
        return policy.rejections["calling_ae_title"]
    if load.congested:
        return policy.rejections["busy"]
    if _is_at_limit(load.open_associations, policy.max_associations) or _is_at_limit(
        load.open_from_peer, peer.max_associations
    ):
        return policy.rejections["limit_reached"]
    contexts = tuple(_answer_contexts(rq, peer))
    if policy.reject_without_contexts and all(context.result for context in contexts):
        return NO_REASON_GIVEN
    return A_ASSOCIATE_AC(
        called_ae_title=rq.called_ae_title,
        calling_ae_title=rq.calling_ae_title,
        presentation_contexts=contexts,
        user_information=UserInformation(
            maximum_length=policy.local.max_pdu_length,
            implementation_class_uid=policy.local.implementation_class_uid,
            implementation_version_name=policy.local.implementation_version_name or None,
            asynchronous_operations_window=_decide_window(rq, policy.max_operations_performed),
            role_selections=tuple(_answer_roles(rq, contexts, peer)),
        ),
    )


def _decide_window(rq: A_ASSOCIATE_RQ, most: int) -> AsynchronousOperationsWindow | None:
    """How many operations the requestor may have open: as asked, up to ours; 0 asks for any (PS3.7 D.3.3.3)."""
    asked = rq.user_information.asynchronous_operations_window
    if asked is None or most == 1:
        return None
    return AsynchronousOperationsWindow(min(asked.invoked or most, most), 1)


def _is_called(title: str, policy: AcceptorPolicy) -> bool:
    if policy.called_ae_titles is None:
        return True
    return _strip_title(title, policy) in {_strip_title(known, policy) for known in policy.called_ae_titles}


def _strip_title(title: str, policy: AcceptorPolicy) -> str:
    return title.strip().casefold() if policy.ignore_case else title.strip()


def _find_peer_policy(rq: A_ASSOCIATE_RQ, policy: AcceptorPolicy) -> PeerPolicy | None:
    peer = policy.peer(rq.calling_ae_title.strip())
    asks_verification = any(context.abstract_syntax == VERIFICATION for context in rq.presentation_contexts)
    if peer is None and policy.accept_unknown_verification and asks_verification:
        return _VERIFICATION_ONLY
    return peer


def _is_at_limit(open_now: int, limit: int | None) -> bool:
    return limit is not None and open_now >= limit


def _answer_contexts(rq: A_ASSOCIATE_RQ, peer: PeerPolicy) -> Iterator[PresentationContextAC]:
    """An answer for each context id; of contexts that share an id only the first counts."""
    seen = set()
    for context in rq.presentation_contexts:
        if context.id not in seen:
            seen.add(context.id)
            yield _answer_context(context, rq, peer)


def _answer_context(context: PresentationContextRQ, rq: A_ASSOCIATE_RQ, peer: PeerPolicy) -> PresentationContextAC:
    proposed = context.transfer_syntaxes
    # Not significant in a rejected context, but some peers fail when it is absent
    rejected_syntax = proposed[0] if proposed else IMPLICIT_VR_LITTLE_ENDIAN
    syntax_policy = _find_syntax_policy(context.abstract_syntax, peer)
    # what is too long is no UID (PS3.5 9.1), and answers that repeat it might not fit their items
    if syntax_policy is None or len(context.abstract_syntax) > MAX_CHARACTERS["UI"]:
        return PresentationContextAC(context.id, facts.CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED, rejected_syntax)
    if not _has_role(context.abstract_syntax, rq, peer):
        return PresentationContextAC(context.id, facts.CONTEXT_USER_REJECTION, rejected_syntax)
    chosen = next((uid for uid in syntax_policy.transfer_syntaxes if uid in proposed), None)
    if chosen is None:
        return PresentationContextAC(context.id, facts.CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED, rejected_syntax)
    return PresentationContextAC(context.id, facts.CONTEXT_ACCEPTANCE, chosen)


def _find_syntax_policy(abstract_syntax: str, peer: PeerPolicy) -> SyntaxPolicy | None:
    return peer.abstract_syntaxes.get(abstract_syntax, peer.other)


def _has_role(abstract_syntax: str, rq: A_ASSOCIATE_RQ, peer: PeerPolicy) -> bool:
    """Whether a role is left for the requestor, given what it selects and what we play."""
    answer = _answer_role(abstract_syntax, rq, peer)
    if answer is not None:
        return answer.scu_role or answer.scp_role
    policy = _find_syntax_policy(abstract_syntax, peer)
    if policy is None:
        return False
    return policy.scp or (policy.scu and not (peer.role_selection_required or policy.must_select_role))


def _answer_role(abstract_syntax: str, rq: A_ASSOCIATE_RQ, peer: PeerPolicy) -> RoleSelection | None:
    selected = find_role_selection(rq.user_information, abstract_syntax)
    policy = _find_syntax_policy(abstract_syntax, peer)
    if selected is None or policy is None:
        return None
    return RoleSelection(abstract_syntax, selected.scu_role and policy.scp, selected.scp_role and policy.scu)


def _answer_roles(
    rq: A_ASSOCIATE_RQ, contexts: tuple[PresentationContextAC, ...], peer: PeerPolicy
) -> Iterator[RoleSelection]:
    """The answers to role selections: once per abstract syntax, for what is accepted."""
    accepted = {context.id for context in contexts if context.result == facts.CONTEXT_ACCEPTANCE}
    for uid in dict.fromkeys(c.abstract_syntax for c in rq.presentation_contexts if c.id in accepted):
        answer = _answer_role(uid, rq, peer)
        if answer is not None:
            yield answer
