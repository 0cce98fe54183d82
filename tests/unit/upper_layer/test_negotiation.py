"""What a requestor proposes and what both sides make of the answer (PS3.8 7.1, PS3.7 D.3)."""

from __future__ import annotations

import pytest

from openmodality.errors import UsageError
from openmodality.upper_layer.items import PresentationContextAC
from openmodality.upper_layer.negotiation import (
    AcceptedContext,
    ContextProposal,
    LocalSide,
    RequestOptions,
    propose,
    read_outcome,
)
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from openmodality.upper_layer.primitives import Role
from openmodality.upper_layer.user_information import (
    AsynchronousOperationsWindow,
    RoleSelection,
    SOPClassExtendedNegotiation,
    UserIdentityAC,
    UserIdentityRQ,
    UserInformation,
)
from openmodality.value_class import replace

LOCAL = LocalSide("1.2.3", "OM 1", 32768)
ECHO = ContextProposal("1.2.840.10008.1.1", ("1.2.840.10008.1.2",))
COMMITMENT = "1.2.840.10008.1.20.1"

APPLICATION_CONTEXT_IDS = [f"RF-4.2.{section}.2.1-01" for section in range(1, 9)]
ASYNCHRONOUS_IDS = [f"RF-4.2.{section}.2.3-01" for section in (1, 2, 3, 4, 5, 7, 8)] + ["MR-5.1.3-02", "MR-6.1.3-02"]


def one(*proposals: ContextProposal, options: RequestOptions | None = None) -> A_ASSOCIATE_RQ:
    (rq,) = propose(LOCAL, "SCU", "SCP", proposals, options or RequestOptions())
    return rq


def accept(rq: A_ASSOCIATE_RQ, **user_information: object) -> A_ASSOCIATE_AC:
    contexts = (PresentationContextAC(item.id, 0, item.transfer_syntaxes[0]) for item in rq.presentation_contexts)
    return A_ASSOCIATE_AC("SCP", "SCU", tuple(contexts), UserInformation(**user_information))  # type: ignore[arg-type]


def test_every_request_names_the_dicom_application_context() -> None:
    rq = one(ECHO)
    assert rq.application_context_name == "1.2.840.10008.3.1.1.1"
    assert b"\x10\0\0\x151.2.840.10008.3.1.1.1" in rq.encode()


def test_a_request_tells_who_we_are_and_what_we_take() -> None:
    rq = one(ECHO)
    assert (rq.calling_ae_title, rq.called_ae_title, rq.protocol_version) == ("SCU", "SCP", 1)
    assert rq.user_information == UserInformation(
        maximum_length=32768, implementation_class_uid="1.2.3", implementation_version_name="OM 1"
    )


def test_asynchronous_operations_are_not_proposed_unless_asked_for() -> None:
    assert one(ECHO).user_information.asynchronous_operations_window is None
    window = AsynchronousOperationsWindow(5, 5)
    asked = one(ECHO, options=RequestOptions(asynchronous_operations_window=window))
    assert asked.user_information.asynchronous_operations_window == window


def test_options_are_sent() -> None:
    identity, extended = UserIdentityRQ(1, b"joe"), SOPClassExtendedNegotiation("1.2", b"\1")
    rq = one(ECHO, options=RequestOptions(user_identity=identity, extended_negotiations=(extended,)))
    assert rq.user_information.user_identity_rq == identity
    assert rq.user_information.extended_negotiations == (extended,)


def test_contexts_get_odd_ids_and_duplicates_are_dropped() -> None:
    """Trap 10."""
    rq = one(ECHO, ContextProposal("1.2", ("1.3",)), ECHO, ContextProposal("1.2", ("1.4",)))
    assert [(item.id, item.abstract_syntax, item.transfer_syntaxes) for item in rq.presentation_contexts] == [
        (1, ECHO.abstract_syntax, ECHO.transfer_syntaxes),
        (3, "1.2", ("1.3",)),
        (5, "1.2", ("1.4",)),
    ]


@pytest.mark.parametrize(("number", "sizes"), [(1, [1]), (128, [128]), (129, [128, 1]), (300, [128, 128, 44])])
def test_more_than_128_contexts_make_more_requests(number: int, sizes: list[int]) -> None:
    requests = propose(LOCAL, "SCU", "SCP", (ContextProposal(f"1.2.{n}", ("1.3",)) for n in range(number)))
    assert [len(rq.presentation_contexts) for rq in requests] == sizes
    for rq in requests:
        ids = [context.id for context in rq.presentation_contexts]
        assert ids == list(range(1, 2 * len(ids), 2))


def test_role_selection_is_proposed_where_roles_differ_from_the_default() -> None:
    rq = one(
        ECHO,
        ContextProposal(COMMITMENT, ("1.3",), scu_role=False, scp_role=True),
        ContextProposal("1.2", ("1.3",)),
        ContextProposal("1.2", ("1.4",), scp_role=True),
    )
    assert rq.user_information.role_selections == (
        RoleSelection(COMMITMENT, False, True),
        RoleSelection("1.2", True, True),
    )


@pytest.mark.parametrize("title", ["", " ", "A" * 17, "A\\B", "Ä", "A\n"])
def test_titles_are_checked_before_they_are_sent(title: str) -> None:
    with pytest.raises(UsageError):
        propose(LOCAL, title, "SCP", (ECHO,))
    with pytest.raises(UsageError):
        propose(LOCAL, "SCU", title, (ECHO,))


def test_a_request_without_contexts_or_transfer_syntaxes_makes_no_sense() -> None:
    with pytest.raises(UsageError):
        propose(LOCAL, "SCU", "SCP", ())
    with pytest.raises(UsageError):
        propose(LOCAL, "SCU", "SCP", (ContextProposal("1.2", ()),))


def test_an_accepted_association_is_understood() -> None:
    rq = one(ECHO)
    ac = accept(rq, maximum_length=0, implementation_class_uid="1.9", implementation_version_name="PEER")
    result = read_outcome(rq, ac)
    assert result.accepted == (AcceptedContext(1, ECHO.abstract_syntax, "1.2.840.10008.1.2", True, False),)
    assert result.rejected == ()
    assert (result.peer_max_pdu_length, result.peer_implementation_class_uid) == (0, "1.9")
    assert (result.peer_implementation_version_name, result.user_identity_response) == ("PEER", None)
    assert result.contexts(ECHO.abstract_syntax) == result.accepted
    assert result.contexts("1.2") == ()


def test_the_acceptor_sees_the_other_roles_and_the_requestors_limit() -> None:
    rq = one(ECHO)
    result = read_outcome(rq, accept(rq, maximum_length=1), Role.ACCEPTOR)
    (context,) = result.accepted
    assert (context.scu_role, context.scp_role) == (False, True)
    assert (result.peer_max_pdu_length, result.peer_implementation_version_name) == (32768, "OM 1")


@pytest.mark.parametrize(
    ("answer", "roles"),
    [
        (None, (True, False)),
        (RoleSelection(COMMITMENT, True, True), (False, True)),
        (RoleSelection(COMMITMENT, False, True), (False, True)),
        (RoleSelection(COMMITMENT, False, False), (False, False)),
        (RoleSelection("1.2", True, True), (True, False)),
    ],
)
def test_roles_are_what_was_proposed_and_accepted(answer: RoleSelection | None, roles: tuple[bool, bool]) -> None:
    rq = one(ContextProposal(COMMITMENT, ("1.3",), scu_role=False, scp_role=True))
    (context,) = read_outcome(rq, accept(rq, role_selections=(answer,) if answer else ())).accepted
    assert (context.scu_role, context.scp_role) == roles


def test_a_role_selection_that_was_not_proposed_does_not_count() -> None:
    rq = one(ContextProposal("1.2", ("1.3",)))
    (context,) = read_outcome(rq, accept(rq, role_selections=(RoleSelection("1.2", True, True),))).accepted
    assert (context.scu_role, context.scp_role) == (True, False)


def test_rejected_unanswered_and_unproposed_contexts() -> None:
    rq = one(*(ContextProposal(f"1.2.{number}", ("1.3",)) for number in range(4)))
    answers = (
        PresentationContextAC(1, 3),
        PresentationContextAC(3, 0, "1.99"),
        PresentationContextAC(5, 77),
        PresentationContextAC(9, 0, "1.3"),
    )
    result = read_outcome(rq, replace(accept(rq), presentation_contexts=answers))
    assert result.accepted == ()
    assert [(item.id, item.result) for item in result.rejected] == [(1, 3), (3, 4), (5, 77), (7, 2)]
    assert result.rejected[0].text.startswith("abstract-syntax-not-supported")
    assert result.rejected[2].text == "reserved (77)"


def test_no_common_context_is_a_result_like_any_other() -> None:
    """Trap 8."""
    rq = one(ECHO)
    result = read_outcome(rq, replace(accept(rq), presentation_contexts=()))
    assert (result.accepted, len(result.rejected)) == ((), 1)


def test_the_first_answer_to_a_context_holds() -> None:
    rq = one(ECHO)
    answers = (PresentationContextAC(1, 0, "1.2.840.10008.1.2"), PresentationContextAC(1, 3))
    assert len(read_outcome(rq, replace(accept(rq), presentation_contexts=answers)).accepted) == 1


def test_the_response_to_a_user_identity_is_handed_on() -> None:
    rq = one(ECHO)
    assert read_outcome(rq, accept(rq, user_identity_ac=UserIdentityAC(b"ticket"))).user_identity_response == b"ticket"
