"""What an acceptor answers (PS3.8 9.3.3, 9.3.4; PS3.7 D.3; R/F table 4.2-18)."""

from __future__ import annotations

import pytest

from openmodality.standard.upper_layer import Situation
from openmodality.upper_layer.acceptance import (
    AcceptorPolicy,
    Load,
    PeerPolicy,
    SyntaxPolicy,
    decide_answer,
)
from openmodality.upper_layer.items import PresentationContextRQ
from openmodality.upper_layer.negotiation import LocalSide, read_outcome
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.primitives import Role
from openmodality.upper_layer.rejections import STANDARD_REJECTIONS
from openmodality.upper_layer.user_information import (
    AsynchronousOperationsWindow,
    RoleSelection,
    UserInformation,
)
from openmodality.value_class import replace

IMPLICIT, EXPLICIT, BIG = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"
ECHO, MR, COMMITMENT = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.1.20.1"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"

PEER = PeerPolicy(
    {
        ECHO: SyntaxPolicy((IMPLICIT, EXPLICIT)),
        MR: SyntaxPolicy((IMPLICIT, EXPLICIT)),
        COMMITMENT: SyntaxPolicy((IMPLICIT,), scp=False, scu=True),
    },
    max_associations=2,
)
POLICY = AcceptorPolicy(
    LocalSide("1.2.3", "OM 1", 32768),
    peer={"KNOWN": PEER}.get,
    called_ae_titles=frozenset({"US"}),
    max_associations=5,
)


def request(*contexts: PresentationContextRQ, called: str = "US", calling: str = "KNOWN") -> A_ASSOCIATE_RQ:
    return A_ASSOCIATE_RQ(called, calling, contexts or (PresentationContextRQ(1, ECHO, (IMPLICIT,)),))


def answers(answer: A_ASSOCIATE_AC | A_ASSOCIATE_RJ) -> list[tuple[int, int, str]]:
    assert isinstance(answer, A_ASSOCIATE_AC)
    return [(context.id, context.result, context.transfer_syntax) for context in answer.presentation_contexts]


def test_an_acceptable_request_is_accepted_and_answered_with_who_we_are() -> None:
    window = UserInformation(asynchronous_operations_window=AsynchronousOperationsWindow(0, 0))
    answer = decide_answer(replace(request(), user_information=window), POLICY)
    assert isinstance(answer, A_ASSOCIATE_AC)
    assert (answer.called_ae_title, answer.calling_ae_title) == ("US", "KNOWN")
    assert answer.application_context_name == "1.2.840.10008.3.1.1.1"
    assert answer.user_information == UserInformation(
        maximum_length=32768, implementation_class_uid="1.2.3", implementation_version_name="OM 1"
    )
    assert answers(answer) == [(1, 0, IMPLICIT)]


@pytest.mark.parametrize(
    ("rq", "load", "expected"),
    [
        pytest.param(request(), Load(open_associations=5), (2, 3, 2)),
        pytest.param(request(), Load(open_from_peer=2), (2, 3, 2)),
        pytest.param(request(), Load(congested=True), (2, 3, 1)),
        pytest.param(
            replace(request(), application_context_name="1.2"),
            Load(),
            (1, 1, 2),
        ),
        pytest.param(
            replace(request(), application_context_name=""),
            Load(),
            (1, 1, 2),
        ),
        pytest.param(request(called="OTHER"), Load(), (1, 1, 7)),
        pytest.param(
            request(calling="STRANGER"),
            Load(),
            (1, 1, 3),
        ),
        (replace(request(), protocol_version=2), Load(), (1, 2, 2)),
        (request(called="OTHER", calling="STRANGER"), Load(open_associations=99, congested=True), (1, 1, 7)),
    ],
)
def test_rejections(rq: A_ASSOCIATE_RQ, load: Load, expected: tuple[int, int, int]) -> None:
    assert decide_answer(rq, POLICY, load) == A_ASSOCIATE_RJ(*expected)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((1, 2, 1), "rejected-permanent, DICOM UL service-provider (ACSE related function), no-reason-given"),
        ((1, 1, 2), "rejected-permanent, DICOM UL service-user, application-context-name-not-supported"),
        ((1, 1, 3), "rejected-permanent, DICOM UL service-user, calling-AE-title-not-recognized"),
        ((1, 1, 7), "rejected-permanent, DICOM UL service-user, called-AE-title-not-recognized"),
        (
            (2, 3, 1),
            "rejected-transient, DICOM UL service-provider (Presentation related function), temporary-congestion",
        ),
        (
            (2, 3, 2),
            "rejected-transient, DICOM UL service-provider (Presentation related function), local-limit-exceeded",
        ),
    ],
)
def test_the_rejections_of_the_statement_in_words(numbers: tuple[int, int, int], text: str) -> None:
    assert A_ASSOCIATE_RJ(*numbers).text == text


@pytest.mark.parametrize(
    ("situation", "rq", "load"),
    [
        ("limit_reached", request(), Load(open_associations=5)),
        ("busy", request(), Load(congested=True)),
        ("application_context", replace(request(), application_context_name="1.2"), Load()),
        ("called_ae_title", request(called="OTHER"), Load()),
        ("calling_ae_title", request(calling="STRANGER"), Load()),
    ],
)
def test_a_device_may_reject_in_its_own_way(situation: Situation, rq: A_ASSOCIATE_RQ, load: Load) -> None:
    own = A_ASSOCIATE_RJ(1, 2, 2)
    policy = replace(POLICY, rejections={**STANDARD_REJECTIONS, situation: own})
    assert decide_answer(rq, policy, load) == own
    assert decide_answer(rq, POLICY, load) == STANDARD_REJECTIONS[situation]


def test_limits_count_what_is_open_before() -> None:
    assert answers(decide_answer(request(), POLICY, Load(open_associations=4, open_from_peer=1)))
    unlimited = replace(POLICY, max_associations=None, peer=lambda _: PeerPolicy(PEER.abstract_syntaxes))
    assert answers(decide_answer(request(), unlimited, Load(open_associations=10**6, open_from_peer=10**6)))


def test_later_protocol_versions_are_accepted_if_they_include_ours() -> None:
    assert answers(decide_answer(replace(request(), protocol_version=3), POLICY))


@pytest.mark.parametrize("called", ["US", " US ", "US  "])
def test_titles_are_compared_after_trimming(called: str) -> None:
    """Trap 5."""
    assert answers(decide_answer(request(called=called, calling=" KNOWN "), POLICY))
    padded = replace(POLICY, called_ae_titles=frozenset({" US"}))
    assert answers(decide_answer(request(called=called), padded))


def test_case_counts_unless_the_policy_says_otherwise() -> None:
    """Trap 5."""
    assert decide_answer(request(called="us"), POLICY) == A_ASSOCIATE_RJ(1, 1, 7)
    assert answers(decide_answer(request(called="us"), replace(POLICY, ignore_case=True)))


def test_any_called_title_may_be_taken() -> None:
    assert answers(decide_answer(request(called="WHATEVER"), replace(POLICY, called_ae_titles=None)))


def test_verification_for_strangers_only_where_the_policy_allows_it() -> None:
    open_policy = replace(POLICY, accept_unknown_verification=True)
    rq = request(
        PresentationContextRQ(1, MR, (IMPLICIT,)), PresentationContextRQ(3, ECHO, (IMPLICIT,)), calling="STRANGER"
    )
    assert answers(decide_answer(rq, open_policy)) == [(1, 3, IMPLICIT), (3, 0, IMPLICIT)]
    only_images = request(PresentationContextRQ(1, MR, (IMPLICIT,)), calling="STRANGER")
    assert decide_answer(only_images, open_policy) == A_ASSOCIATE_RJ(1, 1, 3)


def test_each_context_is_answered_by_itself() -> None:
    rq = request(
        PresentationContextRQ(1, MR, (BIG, EXPLICIT, IMPLICIT)),
        PresentationContextRQ(3, MR, (EXPLICIT,)),
        PresentationContextRQ(5, "1.2.3", (EXPLICIT,)),
        PresentationContextRQ(7, MR, (BIG,)),
        PresentationContextRQ(9, MR, ()),
        PresentationContextRQ(4, MR, (IMPLICIT,)),
        PresentationContextRQ(2, MR, (BIG,)),
    )
    assert answers(decide_answer(rq, POLICY)) == [
        (1, 0, IMPLICIT),
        (3, 0, EXPLICIT),
        (5, 3, EXPLICIT),
        (7, 4, BIG),
        (9, 4, IMPLICIT),
        (4, 0, IMPLICIT),
        (2, 4, BIG),
    ]


def test_duplicate_ids_are_answered_once() -> None:
    rq = request(PresentationContextRQ(1, ECHO, (IMPLICIT,)), PresentationContextRQ(1, MR, (IMPLICIT,)))
    answer = decide_answer(rq, POLICY)
    assert answers(answer) == [(1, 0, IMPLICIT)]
    assert isinstance(answer, A_ASSOCIATE_AC)
    assert [context.abstract_syntax for context in read_outcome(rq, answer, Role.ACCEPTOR).accepted] == [ECHO]


def test_any_number_of_contexts_is_answered() -> None:
    rq = request(*(PresentationContextRQ(number % 256, MR, (IMPLICIT,)) for number in range(700)))
    results = [result for _, result, _ in answers(decide_answer(rq, POLICY))]
    assert (results.count(0), len(results)) == (256, 256)


def test_a_peer_may_have_abstract_syntaxes_that_are_not_listed() -> None:
    peer = PeerPolicy({MR: SyntaxPolicy((EXPLICIT,))}, other=SyntaxPolicy((IMPLICIT,)))
    rq = request(PresentationContextRQ(1, "1.2.3", (IMPLICIT,)), PresentationContextRQ(3, MR, (IMPLICIT,)))
    assert answers(decide_answer(rq, replace(POLICY, peer=lambda _: peer))) == [(1, 0, IMPLICIT), (3, 4, IMPLICIT)]


def test_without_any_acceptable_context_the_policy_decides() -> None:
    """Trap 8."""
    rq = request(PresentationContextRQ(1, "1.2.3", (IMPLICIT,)))
    assert answers(decide_answer(rq, POLICY)) == [(1, 3, IMPLICIT)]
    assert decide_answer(rq, replace(POLICY, reject_without_contexts=True)) == A_ASSOCIATE_RJ(1, 1, 1)


@pytest.mark.parametrize(
    ("selected", "result", "answered"),
    [
        (RoleSelection(COMMITMENT, False, True), 0, RoleSelection(COMMITMENT, False, True)),
        (RoleSelection(COMMITMENT, True, True), 0, RoleSelection(COMMITMENT, False, True)),
        (RoleSelection(COMMITMENT, True, False), 1, None),
        (RoleSelection(COMMITMENT, False, False), 1, None),
        (None, 1, None),
    ],
)
def test_roles_for_what_we_use_only(
    selected: RoleSelection | None, result: int, answered: RoleSelection | None
) -> None:
    rq = replace(
        request(PresentationContextRQ(1, COMMITMENT, (IMPLICIT,))),
        user_information=UserInformation(role_selections=(selected,) if selected else ()),
    )
    answer = decide_answer(rq, POLICY)
    assert isinstance(answer, A_ASSOCIATE_AC)
    assert answers(answer) == [(1, result, IMPLICIT)]
    assert answer.user_information.role_selections == ((answered,) if answered else ())


def test_a_missing_role_selection_can_be_tolerated() -> None:
    """Trap 30."""
    tolerant = replace(PEER, role_selection_required=False)
    answer = decide_answer(
        request(PresentationContextRQ(1, COMMITMENT, (IMPLICIT,))), replace(POLICY, peer=lambda _: tolerant)
    )
    assert answers(answer) == [(1, 0, IMPLICIT)]


@pytest.mark.parametrize(
    ("selected", "result"),
    [((), 1), ((RoleSelection(KEY_OBJECTS, True, False),), 1), ((RoleSelection(KEY_OBJECTS, False, True),), 0)],
)
def test_what_is_only_sent_is_taken_of_who_selects_the_role(selected: tuple[RoleSelection, ...], result: int) -> None:
    """Where a peer need not select its role for other classes either."""
    sent = SyntaxPolicy((IMPLICIT,), scp=False, scu=True, must_select_role=True)
    peer = replace(PEER, abstract_syntaxes={KEY_OBJECTS: sent}, role_selection_required=False)
    rq = replace(
        request(PresentationContextRQ(1, KEY_OBJECTS, (IMPLICIT,))),
        user_information=UserInformation(role_selections=selected),
    )
    assert answers(decide_answer(rq, replace(POLICY, peer=lambda _: peer))) == [(1, result, IMPLICIT)]


def test_role_selection_for_what_we_provide() -> None:
    rq = replace(
        request(PresentationContextRQ(1, MR, (IMPLICIT,))),
        user_information=UserInformation(
            role_selections=(RoleSelection(MR, True, True), RoleSelection(ECHO, True, False))
        ),
    )
    answer = decide_answer(rq, POLICY)
    assert isinstance(answer, A_ASSOCIATE_AC)
    assert answer.user_information.role_selections == (RoleSelection(MR, True, False),)
    (context,) = read_outcome(rq, answer, Role.ACCEPTOR).accepted
    assert (context.scu_role, context.scp_role) == (False, True)
