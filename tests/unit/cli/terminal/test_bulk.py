from __future__ import annotations

import json

import pytest

from openmodality.cli.terminal.bulk import Changing, change_each
from openmodality.errors import NotFound, WrongState

REFUSALS: dict[int, Exception] = {
    2: WrongState("job 2 is done", advice="leave it"),
    3: NotFound("the same is queued already as job 9"),
    4: PermissionError(13, "Permission denied"),
}


def retry(number: int) -> int:
    if number in REFUSALS:
        raise REFUSALS[number]
    return number


JOBS: Changing[int] = Changing("job", retry, "job {}".format, lambda changed: [{"job": each} for each in changed])


def test_what_is_refused_is_named_and_the_others_are_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert change_each(range(1, 6), JOBS, goes_on=True, as_json=False) == 1
    out, err = capsys.readouterr()
    assert out == "job 1\njob 5\n"
    assert err.splitlines() == [
        "openmodality: job 2 is done; leave it",
        "openmodality: job 3: the same is queued already as job 9",
        "openmodality: job 4: Permission denied",
    ]
    assert change_each([1, 5], JOBS, goes_on=True, as_json=False) == 0


def test_what_was_changed_is_in_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert change_each([1, 2, 5], JOBS, goes_on=True, as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["items"] == [{"job": 1}, {"job": 5}]


def test_what_is_named_by_number_ends_at_the_first_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(WrongState):
        change_each([1, 2, 5], JOBS, goes_on=False, as_json=True)
    assert json.loads(capsys.readouterr().out)["items"] == [{"job": 1}]
