"""The provider in every state, given every event of Table 9-10: it ends in the state that the table's action leads to.

A blank cell is a `UsageError` where the event is the user's, except aborting, and is without effect where it is the
transport's or the timer's. PDUs cannot come in a state that has no connection.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

import pytest

from openmodality.errors import OpenModalityError, UsageError
from openmodality.upper_layer.pdu import A_ABORT, A_ASSOCIATE_RJ, A_RELEASE_RP, A_RELEASE_RQ
from openmodality.upper_layer.primitives import (
    AbortRequest,
    AssociateAccept,
    AssociateReject,
    AssociateRequest,
    ReleaseRequest,
    ReleaseResponse,
    Role,
)
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.state_table import NEXT_STATES, TRANSITIONS, Action, Event, State
from tests.unit.upper_layer.dialogue import AC, LIMIT, RQ, acceptor, established, events, requestor

REJECT = A_ASSOCIATE_RJ(1, 1, 1)
DATA = bytes.fromhex("0400 00000006 00000002 01 03")


def asked() -> Provider:
    provider = acceptor()
    events(provider, RQ.encode())
    return provider


def releasing(role: Role) -> Provider:
    provider = established(role)
    provider.send(ReleaseRequest())
    return provider


def colliding(role: Role) -> Provider:
    provider = releasing(role)
    events(provider, A_RELEASE_RQ().encode())
    return provider


def asked_to_release() -> Provider:
    provider = established(Role.ACCEPTOR)
    events(provider, A_RELEASE_RQ().encode())
    return provider


def collided_requestor() -> Provider:
    provider = colliding(Role.REQUESTOR)
    provider.send(ReleaseResponse())
    return provider


def collided_acceptor() -> Provider:
    provider = colliding(Role.ACCEPTOR)
    events(provider, A_RELEASE_RP().encode())
    return provider


def aborted() -> Provider:
    provider = established(Role.ACCEPTOR)
    provider.send(AbortRequest())
    return provider


STATES: Mapping[State, Callable[[], Provider]] = {
    State.Sta1: lambda: Provider(Role.REQUESTOR, max_pdu_length=LIMIT),
    State.Sta2: acceptor,
    State.Sta3: asked,
    State.Sta4: lambda: requestor(connected=False),
    State.Sta5: requestor,
    State.Sta6: lambda: established(Role.REQUESTOR),
    State.Sta7: lambda: releasing(Role.REQUESTOR),
    State.Sta8: asked_to_release,
    State.Sta9: lambda: colliding(Role.REQUESTOR),
    State.Sta10: lambda: colliding(Role.ACCEPTOR),
    State.Sta11: collided_requestor,
    State.Sta12: collided_acceptor,
    State.Sta13: aborted,
}
PDUS: Mapping[Event, bytes] = {
    Event.Evt3: AC.encode(),
    Event.Evt4: REJECT.encode(),
    Event.Evt6: RQ.encode(),
    Event.Evt10: DATA,
    Event.Evt12: A_RELEASE_RQ().encode(),
    Event.Evt13: A_RELEASE_RP().encode(),
    Event.Evt16: A_ABORT(0, 0).encode(),
    Event.Evt19: b"GET / HTTP/1.1\r\n\r\n",
}
USER: Mapping[Event, Callable[[Provider], None]] = {
    Event.Evt1: lambda provider: provider.send(AssociateRequest(RQ)),
    Event.Evt7: lambda provider: provider.send(AssociateAccept(AC)),
    Event.Evt8: lambda provider: provider.send(AssociateReject(REJECT)),
    Event.Evt9: lambda provider: provider.check_can_send_data(),
    Event.Evt11: lambda provider: provider.send(ReleaseRequest()),
    Event.Evt14: lambda provider: provider.send(ReleaseResponse()),
}
QUIET: Mapping[Event, Callable[[Provider], None]] = {
    Event.Evt15: lambda provider: provider.send(AbortRequest()),
    Event.Evt17: lambda provider: provider.transport_closed(),
    Event.Evt18: lambda provider: provider.artim_expired(),
}
STARTS_ARTIM = (Action.AE_5, Action.AE_8, Action.AR_4, Action.AA_1, Action.AA_8)


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached(state: State) -> None:
    assert STATES[state]().state is state


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, PDUS)))
def test_a_pdu_in_every_state(state: State, event: Event) -> None:
    provider = STATES[state]()
    if (event, state) not in TRANSITIONS:
        with pytest.raises(UsageError):
            provider.receive_data(PDUS[event])
        return
    events(provider, PDUS[event])
    check(provider, TRANSITIONS[event, state])


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, [*USER, *QUIET])))
def test_a_local_event_in_every_state(state: State, event: Event) -> None:
    provider = STATES[state]()
    do = USER.get(event) or QUIET[event]
    if (event, state) in TRANSITIONS:
        do(provider)
        check(provider, TRANSITIONS[event, state])
        return
    if event in USER:
        with pytest.raises(OpenModalityError):
            do(provider)
    else:
        do(provider)
    assert provider.state is state


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", State)
def test_the_connection_opens_in_every_state(role: Role, state: State) -> None:
    provider = STATES[state]() if state is not State.Sta1 else Provider(role, max_pdu_length=LIMIT)
    event = Event.Evt2 if provider.role is Role.REQUESTOR else Event.Evt5
    if (event, state) in TRANSITIONS:
        provider.transport_connected()
        check(provider, TRANSITIONS[event, state])
    else:
        with pytest.raises(UsageError):
            provider.transport_connected()


def check(provider: Provider, action: Action) -> None:
    assert provider.state in NEXT_STATES[action]
    assert provider.must_close == (provider.state is State.Sta1)
    if action in STARTS_ARTIM:
        assert provider.artim_running
    if provider.state is State.Sta1:
        assert not provider.artim_running
