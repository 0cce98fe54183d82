"""The state machine of PS3.8 9.2 as tables, in the standard's own names; ``provider`` does what they say.

``TRANSITIONS`` is Table 9-10: which action an event takes in a state. A blank cell, an event that cannot occur in that
state, has no entry. ``NEXT_STATES`` is from Tables 9-6 to 9-9: the state after each action; two actions have a choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum


class State(IntEnum):
    """PS3.8 9.2.1, Tables 9-1 to 9-5."""

    Sta1 = 1
    """Idle"""
    Sta2 = 2
    """Transport connection open (awaiting A-ASSOCIATE-RQ PDU)"""
    Sta3 = 3
    """Awaiting local A-ASSOCIATE response primitive"""
    Sta4 = 4
    """Awaiting transport connection opening to complete"""
    Sta5 = 5
    """Awaiting A-ASSOCIATE-AC or A-ASSOCIATE-RJ PDU"""
    Sta6 = 6
    """Association established and ready for data transfer"""
    Sta7 = 7
    """Awaiting A-RELEASE-RP PDU"""
    Sta8 = 8
    """Awaiting local A-RELEASE response primitive"""
    Sta9 = 9
    """Release collision requestor side; awaiting A-RELEASE response primitive"""
    Sta10 = 10
    """Release collision acceptor side; awaiting A-RELEASE-RP PDU"""
    Sta11 = 11
    """Release collision requestor side; awaiting A-RELEASE-RP PDU"""
    Sta12 = 12
    """Release collision acceptor side; awaiting A-RELEASE response primitive"""
    Sta13 = 13
    """Awaiting transport connection close indication (association no longer exists)"""


class Event(IntEnum):
    """The rows of Table 9-10."""

    Evt1 = 1
    """A-ASSOCIATE request (local user)"""
    Evt2 = 2
    """Transport connection confirmation (local transport service)"""
    Evt3 = 3
    """A-ASSOCIATE-AC PDU (received)"""
    Evt4 = 4
    """A-ASSOCIATE-RJ PDU (received)"""
    Evt5 = 5
    """Transport connection indication (local transport service)"""
    Evt6 = 6
    """A-ASSOCIATE-RQ PDU (received)"""
    Evt7 = 7
    """A-ASSOCIATE response primitive (accept)"""
    Evt8 = 8
    """A-ASSOCIATE response primitive (reject)"""
    Evt9 = 9
    """P-DATA request primitive"""
    Evt10 = 10
    """P-DATA-TF PDU (received)"""
    Evt11 = 11
    """A-RELEASE request primitive"""
    Evt12 = 12
    """A-RELEASE-RQ PDU (received)"""
    Evt13 = 13
    """A-RELEASE-RP PDU (received)"""
    Evt14 = 14
    """A-RELEASE response primitive"""
    Evt15 = 15
    """A-ABORT request primitive"""
    Evt16 = 16
    """A-ABORT PDU (received)"""
    Evt17 = 17
    """Transport connection closed indication"""
    Evt18 = 18
    """ARTIM timer expired"""
    Evt19 = 19
    """Unrecognized or invalid PDU received"""


class Action(Enum):
    """PS3.8 9.2.2, Tables 9-6 to 9-9."""

    AE_1 = "AE-1"
    """Issue TRANSPORT CONNECT request primitive to local transport service"""
    AE_2 = "AE-2"
    """Send A-ASSOCIATE-RQ PDU"""
    AE_3 = "AE-3"
    """Issue A-ASSOCIATE confirmation (accept) primitive"""
    AE_4 = "AE-4"
    """Issue A-ASSOCIATE confirmation (reject) primitive and close transport connection"""
    AE_5 = "AE-5"
    """Issue transport connection response primitive; start ARTIM timer"""
    AE_6 = "AE-6"
    """Stop ARTIM timer; if the A-ASSOCIATE-RQ is acceptable issue A-ASSOCIATE indication, else send A-ASSOCIATE-RJ,
    start ARTIM
    """
    AE_7 = "AE-7"
    """Send A-ASSOCIATE-AC PDU"""
    AE_8 = "AE-8"
    """Send A-ASSOCIATE-RJ PDU and start ARTIM timer"""
    DT_1 = "DT-1"
    """Send P-DATA-TF PDU"""
    DT_2 = "DT-2"
    """Issue P-DATA indication primitive"""
    AR_1 = "AR-1"
    """Send A-RELEASE-RQ PDU"""
    AR_2 = "AR-2"
    """Issue A-RELEASE indication primitive"""
    AR_3 = "AR-3"
    """Issue A-RELEASE confirmation primitive and close transport connection"""
    AR_4 = "AR-4"
    """Send A-RELEASE-RP PDU and start ARTIM timer"""
    AR_5 = "AR-5"
    """Stop ARTIM timer"""
    AR_6 = "AR-6"
    """Issue P-DATA indication"""
    AR_7 = "AR-7"
    """Send P-DATA-TF PDU"""
    AR_8 = "AR-8"
    """Issue A-RELEASE indication (release collision)"""
    AR_9 = "AR-9"
    """Send A-RELEASE-RP PDU"""
    AR_10 = "AR-10"
    """Issue A-RELEASE confirmation primitive"""
    AA_1 = "AA-1"
    """Send A-ABORT PDU (service-user source) and start (or restart) ARTIM timer"""
    AA_2 = "AA-2"
    """Stop ARTIM timer if running; close transport connection"""
    AA_3 = "AA-3"
    """Issue A-ABORT or A-P-ABORT indication, as the source says, and close transport connection"""
    AA_4 = "AA-4"
    """Issue A-P-ABORT indication primitive"""
    AA_5 = "AA-5"
    """Stop ARTIM timer"""
    AA_6 = "AA-6"
    """Ignore PDU"""
    AA_7 = "AA-7"
    """Send A-ABORT PDU"""
    AA_8 = "AA-8"
    """Send A-ABORT PDU (service-provider source), issue an A-P-ABORT indication and start ARTIM timer"""


# Table 9-10, a row per event, the columns Sta1 to Sta13; "." is a blank cell
_TABLE_9_10 = """
        Sta1   Sta2   Sta3   Sta4   Sta5   Sta6   Sta7   Sta8   Sta9   Sta10  Sta11  Sta12  Sta13
Evt1    AE-1   .      .      .      .      .      .      .      .      .      .      .      .
Evt2    .      .      .      AE-2   .      .      .      .      .      .      .      .      .
Evt3    .      AA-1   AA-8   .      AE-3   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-6
Evt4    .      AA-1   AA-8   .      AE-4   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-6
Evt5    AE-5   .      .      .      .      .      .      .      .      .      .      .      .
Evt6    .      AE-6   AA-8   .      AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-7
Evt7    .      .      AE-7   .      .      .      .      .      .      .      .      .      .
Evt8    .      .      AE-8   .      .      .      .      .      .      .      .      .      .
Evt9    .      .      .      .      .      DT-1   .      AR-7   .      .      .      .      .
Evt10   .      AA-1   AA-8   .      AA-8   DT-2   AR-6   AA-8   AA-8   AA-8   AA-8   AA-8   AA-6
Evt11   .      .      .      .      .      AR-1   .      .      .      .      .      .      .
Evt12   .      AA-1   AA-8   .      AA-8   AR-2   AR-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-6
Evt13   .      AA-1   AA-8   .      AA-8   AA-8   AR-3   AA-8   AA-8   AR-10  AR-3   AA-8   AA-6
Evt14   .      .      .      .      .      .      .      AR-4   AR-9   .      .      AR-4   .
Evt15   .      .      AA-1   AA-2   AA-1   AA-1   AA-1   AA-1   AA-1   AA-1   AA-1   AA-1   .
Evt16   .      AA-2   AA-3   .      AA-3   AA-3   AA-3   AA-3   AA-3   AA-3   AA-3   AA-3   AA-2
Evt17   .      AA-5   AA-4   AA-4   AA-4   AA-4   AA-4   AA-4   AA-4   AA-4   AA-4   AA-4   AR-5
Evt18   .      AA-2   .      .      .      .      .      .      .      .      .      .      AA-2
Evt19   .      AA-1   AA-8   .      AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-8   AA-7
"""


def _parse(table: str) -> Mapping[tuple[Event, State], Action]:
    header, *rows = (line.split() for line in table.strip().splitlines())
    states = [State[name] for name in header]
    return {
        (Event[name], state): Action(cell)
        for name, *cells in rows
        for state, cell in zip(states, cells, strict=True)
        if cell != "."
    }


TRANSITIONS: Mapping[tuple[Event, State], Action] = _parse(_TABLE_9_10)
"""Table 9-10 without its blank cells."""

NEXT_STATES: Mapping[Action, tuple[State, ...]] = {
    Action.AE_1: (State.Sta4,),
    Action.AE_2: (State.Sta5,),
    Action.AE_3: (State.Sta6,),
    Action.AE_4: (State.Sta1,),
    Action.AE_5: (State.Sta2,),
    Action.AE_6: (State.Sta3, State.Sta13),  # request acceptable to the service-provider, or not
    Action.AE_7: (State.Sta6,),
    Action.AE_8: (State.Sta13,),
    Action.DT_1: (State.Sta6,),
    Action.DT_2: (State.Sta6,),
    Action.AR_1: (State.Sta7,),
    Action.AR_2: (State.Sta8,),
    Action.AR_3: (State.Sta1,),
    Action.AR_4: (State.Sta13,),
    Action.AR_5: (State.Sta1,),
    Action.AR_6: (State.Sta7,),
    Action.AR_7: (State.Sta8,),
    Action.AR_8: (State.Sta9, State.Sta10),  # association requestor, or acceptor
    Action.AR_9: (State.Sta11,),
    Action.AR_10: (State.Sta12,),
    Action.AA_1: (State.Sta13,),
    Action.AA_2: (State.Sta1,),
    Action.AA_3: (State.Sta1,),
    Action.AA_4: (State.Sta1,),
    Action.AA_5: (State.Sta1,),
    Action.AA_6: (State.Sta13,),
    Action.AA_7: (State.Sta13,),
    Action.AA_8: (State.Sta13,),
}
