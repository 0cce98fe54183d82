"""Images that are being made for the console: what is said of them, and how they are stopped."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from openmodality.console.acquisitions import Acquisition, Acquisitions, AcquisitionState
from openmodality.errors import OpenModalityError, WrongState
from tests.peers.process import wait_until


@pytest.fixture
def acquisitions() -> Iterator[Acquisitions]:
    made = Acquisitions(lambda: 1000.0)
    yield made
    made.close()


def find_ended(acquisitions: Acquisitions, exam_id: int = 1) -> AcquisitionState:
    def has_ended() -> bool:
        state = acquisitions.find(exam_id)
        return state is not None and not state.is_running

    wait_until(has_ended, timeout_s=30)
    state = acquisitions.find(exam_id)
    assert state is not None
    return state


def test_it_says_what_it_does_and_what_became_of_it(acquisitions: Acquisitions) -> None:
    goes_on = threading.Event()

    def work(acquisition: Acquisition) -> None:
        acquisition.note_arrival("image 1 of 2")
        assert goes_on.wait(20)

    acquisitions.start(1, "Simulator", work)
    expected = AcquisitionState("Simulator", "image 1 of 2", True, False, 1, 1000.0)
    wait_until(lambda: acquisitions.find(1) == expected, timeout_s=30)
    with pytest.raises(WrongState, match="being made for this exam already"):
        acquisitions.start(1, "Simulator", work)
    with pytest.raises(WrongState, match="Simulator still makes images"):
        acquisitions.check_ended(1)
    acquisitions.check_ended(2)
    goes_on.set()
    assert find_ended(acquisitions).said == "all images are there"
    acquisitions.check_ended(1)


def test_it_stops_after_the_image_that_is_being_made(acquisitions: Acquisitions) -> None:
    def work(acquisition: Acquisition) -> None:
        while True:
            acquisition.note_arrival("an image")
            acquisition.check_wanted()

    acquisitions.start(1, "Simulator", work)
    acquisitions.stop(1)
    assert find_ended(acquisitions).said == "stopped"
    acquisitions.stop(1)
    acquisitions.stop(7)


@pytest.mark.parametrize(
    ("error", "said", "advice"),
    [
        (OpenModalityError("no room", advice="delete something"), "no room", "delete something"),
        (ValueError("Roe^Ann"), "the device made a mistake", "the log says more"),
    ],
)
def test_why_it_ended_is_said(acquisitions: Acquisitions, error: Exception, said: str, advice: str) -> None:
    def work(_: Acquisition) -> None:
        raise error

    acquisitions.start(1, "Folder", work)
    state = find_ended(acquisitions)
    assert (state.said, state.advice, state.is_failed) == (said, advice, True)


def test_closing_stops_all_and_begins_none() -> None:
    acquisitions = Acquisitions(lambda: 0.0)
    stopped = []

    def work(acquisition: Acquisition) -> None:
        stopped.append(acquisition.stopping.wait(20))

    for exam_id in (1, 2):
        acquisitions.start(exam_id, "Folder", work)
    acquisitions.close()
    assert stopped == [True, True]
    with pytest.raises(WrongState):
        acquisitions.start(3, "Folder", work)
