"""The table of personalities, how they are written, and on which requests they act."""

from __future__ import annotations

import pytest

from openmodality.errors import ConfigurationError
from openmodality.hospital.personalities import ALL_SERVERS, COMMAND_FIELDS, PERSONALITIES, Hook, Trigger, parse


@pytest.mark.parametrize(
    ("text", "server", "trigger", "seconds"),
    [
        ("pacs:a700@5", "pacs", Trigger(5, 1, True), 0.0),
        ("a700@3+", "pacs", Trigger(3), 0.0),
        ("a700/4", "pacs", Trigger(1, 4), 0.0),
        ("mpps-0110", "ris", Trigger(), 0.0),
        ("printer:slow=0.5", "printer", Trigger(), 0.5),
        ("pacs:commit-late@1=7", "pacs", Trigger(1, 1, True), 7.0),
        ("commit-late", "pacs", Trigger(), 30.0),
    ],
)
def test_how_a_personality_is_written(text: str, server: str, trigger: Trigger, seconds: float) -> None:
    misbehaviour = parse(text)
    assert (misbehaviour.server, misbehaviour.trigger, misbehaviour.seconds) == (server, trigger, seconds)


@pytest.mark.parametrize("text", ["", "a701", "ris:a700", "hang", "pacs:a700@0", "pacs:a700@x", "lab:hang", "a700 @5"])
def test_what_is_no_personality_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text)
    assert repr(text) in str(caught.value) or caught.value.advice


@pytest.mark.parametrize(
    ("trigger", "fires"),
    [
        (Trigger(), [1, 2, 3, 4, 5, 6]),
        (Trigger(3, 1, True), [3]),
        (Trigger(3), [3, 4, 5, 6]),
        (Trigger(1, 3), [3, 6]),
    ],
)
def test_on_which_requests_it_acts(trigger: Trigger, fires: list[int]) -> None:
    assert [count for count in range(1, 7) if trigger.fires(count)] == fires


def test_each_personality_has_one_kind_of_effect_and_says_what_it_does() -> None:
    for name, personality in PERSONALITIES.items():
        kinds = [personality.message is not None, personality.association is not None, bool(personality.report)]
        kinds += [personality.syslog is not None, personality.web is not None]
        assert (personality.syslog is not None) is (personality.hook is Hook.SYSLOG), name
        assert kinds.count(True) == 1, name
        assert (personality.association is not None) is (personality.hook is Hook.ASSOCIATION), name
        assert bool(personality.report) is (personality.hook is Hook.REPORT), name
        assert personality.summary, name
        assert set(personality.servers) <= {*ALL_SERVERS, "audit"}, name
        assert personality.message is None or COMMAND_FIELDS[personality.hook], name
