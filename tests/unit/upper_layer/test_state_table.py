"""Table 9-10 of PS3.8, cell by cell, against a second table.

The code's table has a row per event. This one was written down the columns instead: per state what each action is
taken for. What is named nowhere is a blank cell.
"""

from __future__ import annotations

import itertools

import pytest

from openmodality.upper_layer.state_table import NEXT_STATES, TRANSITIONS, Action, Event, State

COLUMNS = {
    1: "AE-1: 1; AE-5: 5",
    2: "AE-6: 6; AA-1: 3 4 10 12 13 19; AA-2: 16 18; AA-5: 17",
    3: "AE-7: 7; AE-8: 8; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 10 12 13 19",
    4: "AE-2: 2; AA-2: 15; AA-4: 17",
    5: "AE-3: 3; AE-4: 4; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 6 10 12 13 19",
    6: "DT-1: 9; DT-2: 10; AR-1: 11; AR-2: 12; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 13 19",
    7: "AR-6: 10; AR-8: 12; AR-3: 13; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 19",
    8: "AR-7: 9; AR-4: 14; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 10 12 13 19",
    9: "AR-9: 14; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 10 12 13 19",
    10: "AR-10: 13; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 10 12 19",
    11: "AR-3: 13; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 10 12 19",
    12: "AR-4: 14; AA-1: 15; AA-3: 16; AA-4: 17; AA-8: 3 4 6 10 12 13 19",
    13: "AA-2: 16 18; AR-5: 17; AA-6: 3 4 10 12 13; AA-7: 6 19",
}

NEXT = (
    "AE-1>4 AE-2>5 AE-3>6 AE-4>1 AE-5>2 AE-6>3,13 AE-7>6 AE-8>13 DT-1>6 DT-2>6 "
    "AR-1>7 AR-2>8 AR-3>1 AR-4>13 AR-5>1 AR-6>7 AR-7>8 AR-8>9,10 AR-9>11 AR-10>12 "
    "AA-1>13 AA-2>1 AA-3>1 AA-4>1 AA-5>1 AA-6>13 AA-7>13 AA-8>13"
)


def action_in(column: str, event: int) -> str | None:
    for entry in column.split("; "):
        action, _, events = entry.partition(": ")
        if str(event) in events.split():
            return action
    return None


@pytest.mark.parametrize(("event", "state"), list(itertools.product(Event, State)))
def test_every_cell_is_that_of_table_9_10(event: Event, state: State) -> None:
    action = TRANSITIONS.get((event, state))
    assert (action.value if action else None) == action_in(COLUMNS[state.value], event.value)


def test_the_table_has_19_events_13_states_and_28_actions() -> None:
    assert (len(Event), len(State), len(Action)) == (19, 13, 28)
    assert set(TRANSITIONS.values()) == set(Action)


@pytest.mark.parametrize("entry", NEXT.split())
def test_the_state_after_each_action(entry: str) -> None:
    action, _, states = entry.partition(">")
    assert NEXT_STATES[Action(action)] == tuple(State(int(state)) for state in states.split(","))
    assert set(NEXT_STATES) == set(Action)


def test_an_action_that_stays_is_only_taken_where_it_stays() -> None:
    for (_, state), action in TRANSITIONS.items():
        if action in (Action.DT_1, Action.DT_2, Action.AR_6, Action.AR_7, Action.AA_6, Action.AA_7):
            assert NEXT_STATES[action] == (state,)
