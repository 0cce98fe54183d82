"""What a requestor proposes and what both sides make of the answer (PS3.8 7.1, PS3.7 D.3). Pure functions.

Rules:
- Only what the job needs is proposed, each pair of abstract syntax and transfer syntaxes once: duplicates of a context
  break peers.
- More than 128 contexts do not fit one association: ``propose`` gives one request per 128.
- Role selection is proposed only where the roles differ from the default, requestor SCU and acceptor SCP.
- The asynchronous operations window is proposed only if the caller asks for it.
- An answer without any accepted context is a result like any other: ``Negotiated.accepted`` is empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from openmodality.errors import UsageError
from openmodality.standard import upper_layer as facts
from openmodality.standard.text_rules import AE_TITLE_RULE, is_ae_title
from openmodality.upper_layer.items import PresentationContextAC, PresentationContextRQ
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from openmodality.upper_layer.primitives import Role
from openmodality.upper_layer.reasons import context_result_text
from openmodality.upper_layer.user_information import (
    AsynchronousOperationsWindow,
    RoleSelection,
    SOPClassExtendedNegotiation,
    UserIdentityRQ,
    UserInformation,
)
from openmodality.value_class import value_class


@value_class
class LocalSide:
    """What this implementation says about itself. ``max_pdu_length`` is its limit for receiving, 0 for none."""

    implementation_class_uid: str
    implementation_version_name: str
    max_pdu_length: int


@value_class
class ContextProposal:
    """A presentation context to propose, and the roles that the requestor proposes to play in it."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]
    scu_role: bool = True
    scp_role: bool = False


@value_class
class RequestOptions:
    """Parts of a request that only some peers and services require."""

    user_identity: UserIdentityRQ | None = None
    asynchronous_operations_window: AsynchronousOperationsWindow | None = None
    extended_negotiations: tuple[SOPClassExtendedNegotiation, ...] = ()


_PLAIN = RequestOptions()


@value_class
class AcceptedContext:
    """An accepted presentation context. The roles are those that *we* may play in it."""

    id: int
    abstract_syntax: str
    transfer_syntax: str
    scu_role: bool
    scp_role: bool


@value_class
class RejectedContext:
    """A proposed context that cannot be used; ``result`` as in PS3.8 Table 9-18."""

    id: int
    abstract_syntax: str
    result: int

    @property
    def text(self) -> str:
        return context_result_text(self.result)


@value_class
class Negotiated:
    """What the two sides agreed upon, seen from one of them. ``peer_max_pdu_length`` 0 means no limit."""

    accepted: tuple[AcceptedContext, ...]
    rejected: tuple[RejectedContext, ...]
    peer_max_pdu_length: int
    peer_implementation_class_uid: str
    peer_implementation_version_name: str
    user_identity_response: bytes | None
    asynchronous_operations_window: AsynchronousOperationsWindow | None
    extended_negotiations: tuple[SOPClassExtendedNegotiation, ...]

    def contexts(self, abstract_syntax: str) -> tuple[AcceptedContext, ...]:
        """The accepted contexts of an abstract syntax, in the order they were proposed."""
        return tuple(context for context in self.accepted if context.abstract_syntax == abstract_syntax)


def propose(
    local: LocalSide,
    calling_ae_title: str,
    called_ae_title: str,
    proposals: Iterable[ContextProposal],
    options: RequestOptions = _PLAIN,
) -> tuple[A_ASSOCIATE_RQ, ...]:
    """The requests for ``proposals``: one, or more where they are over 128. Context ids are 1, 3, 5 ... in each."""
    check_ae_title(calling_ae_title)
    check_ae_title(called_ae_title)
    distinct = tuple(dict.fromkeys(proposals))
    if not distinct:
        raise UsageError("An association needs at least one presentation context, none was proposed")
    size = facts.MAX_PRESENTATION_CONTEXTS
    groups = (distinct[start : start + size] for start in range(0, len(distinct), size))
    return tuple(
        A_ASSOCIATE_RQ(
            called_ae_title=called_ae_title,
            calling_ae_title=calling_ae_title,
            presentation_contexts=tuple(_make_contexts(group)),
            user_information=_make_user_information(local, group, options),
        )
        for group in groups
    )


def check_ae_title(title: str) -> None:
    """Raises :class:`UsageError` where ``title`` may not be sent as an AE title."""
    if not is_ae_title(title):
        raise UsageError(f"{title!r} is not an AE title: {AE_TITLE_RULE}")


def _make_contexts(group: Iterable[ContextProposal]) -> Iterator[PresentationContextRQ]:
    for index, proposal in enumerate(group):
        if not proposal.transfer_syntaxes:
            raise UsageError(f"No transfer syntax was given for abstract syntax {proposal.abstract_syntax}")
        yield PresentationContextRQ(2 * index + 1, proposal.abstract_syntax, proposal.transfer_syntaxes)


def _make_user_information(
    local: LocalSide, group: Iterable[ContextProposal], options: RequestOptions
) -> UserInformation:
    return UserInformation(
        maximum_length=local.max_pdu_length,
        implementation_class_uid=local.implementation_class_uid,
        implementation_version_name=local.implementation_version_name or None,
        asynchronous_operations_window=options.asynchronous_operations_window,
        role_selections=tuple(_select_roles(group)),
        extended_negotiations=options.extended_negotiations,
        user_identity_rq=options.user_identity,
    )


def _select_roles(group: Iterable[ContextProposal]) -> Iterator[RoleSelection]:
    """One item per abstract syntax, as PS3.7 D.3.3.4 asks: the union of the roles proposed in its contexts."""
    wanted: dict[str, tuple[bool, bool]] = {}
    for proposal in group:
        scu, scp = wanted.get(proposal.abstract_syntax, (False, False))
        wanted[proposal.abstract_syntax] = (scu or proposal.scu_role, scp or proposal.scp_role)
    for uid, (scu, scp) in wanted.items():
        if (scu, scp) != (True, False):
            yield RoleSelection(uid, scu, scp)


def read_outcome(rq: A_ASSOCIATE_RQ, ac: A_ASSOCIATE_AC, role: Role = Role.REQUESTOR) -> Negotiated:
    """What ``rq`` and ``ac`` together mean to the side ``role``.

    A context is accepted if the answer says so and names a transfer syntax that was proposed for it. One that was not
    answered counts as rejected without reason; an answer to one that was not proposed does not count.
    """
    answers: dict[int, PresentationContextAC] = {}
    for answer in ac.presentation_contexts:
        answers.setdefault(answer.id, answer)
    accepted, rejected = [], []
    for context in _drop_repeated_ids(rq.presentation_contexts):
        result = _read_result(context, answers.get(context.id))
        if result == facts.CONTEXT_ACCEPTANCE:
            scu, scp = _find_roles(context.abstract_syntax, rq, ac, role)
            syntax = answers[context.id].transfer_syntax
            accepted.append(AcceptedContext(context.id, context.abstract_syntax, syntax, scu, scp))
        else:
            rejected.append(RejectedContext(context.id, context.abstract_syntax, result))
    peer = (ac if role is Role.REQUESTOR else rq).user_information
    identity = ac.user_information.user_identity_ac
    return Negotiated(
        accepted=tuple(accepted),
        rejected=tuple(rejected),
        peer_max_pdu_length=peer.maximum_length or 0,
        peer_implementation_class_uid=peer.implementation_class_uid or "",
        peer_implementation_version_name=peer.implementation_version_name or "",
        user_identity_response=identity.server_response if identity else None,
        asynchronous_operations_window=ac.user_information.asynchronous_operations_window,
        extended_negotiations=peer.extended_negotiations,
    )


def _drop_repeated_ids(contexts: Iterable[PresentationContextRQ]) -> Iterable[PresentationContextRQ]:
    first: dict[int, PresentationContextRQ] = {}
    for context in contexts:
        first.setdefault(context.id, context)
    return first.values()


def _read_result(context: PresentationContextRQ, answer: PresentationContextAC | None) -> int:
    if answer is None:
        return facts.CONTEXT_NO_REASON
    if answer.result == facts.CONTEXT_ACCEPTANCE and answer.transfer_syntax not in context.transfer_syntaxes:
        return facts.CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED
    return answer.result


def _find_roles(uid: str, rq: A_ASSOCIATE_RQ, ac: A_ASSOCIATE_AC, role: Role) -> tuple[bool, bool]:
    """Our SCU and SCP role. Without an answer to a role selection the default roles hold (PS3.7 D.3.3.4)."""
    proposed = find_role_selection(rq.user_information, uid)
    answered = find_role_selection(ac.user_information, uid)
    scu, scp = True, False
    if proposed is not None and answered is not None:
        scu, scp = proposed.scu_role and answered.scu_role, proposed.scp_role and answered.scp_role
    return (scu, scp) if role is Role.REQUESTOR else (scp, scu)


def find_role_selection(information: UserInformation, sop_class_uid: str) -> RoleSelection | None:
    """The role selection of a SOP class, None if the side that speaks leaves the default roles."""
    return next((item for item in information.role_selections if item.sop_class_uid == sop_class_uid), None)
