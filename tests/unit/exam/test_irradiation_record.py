from __future__ import annotations

import json

from openmodality.exam.irradiation_record import event_from_json, event_to_json
from tests.made_objects import irradiation_events


def test_events_survive_the_database() -> None:
    events = irradiation_events()
    assert events
    kept = json.loads(json.dumps([event_to_json(event) for event in events]))
    assert [event_from_json(event) for event in kept] == events
