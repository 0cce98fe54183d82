from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from openmodality.errors import UsageError
from openmodality.store.retrieve_window import REFUSALS_FILE, RetrieveWindow

STUDY = "2.25.1"


class _Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_is_open_while_retrieving_and_a_while_after_for_every_process(tmp_path: Path) -> None:
    clock = _Clock()
    asking, listening = (RetrieveWindow(tmp_path, clock, 30.0) for _ in range(2))
    assert [listening.is_open] == [False]
    with asking.retrieving(STUDY):
        clock.now += 3600
        assert [listening.is_open] == [True]
        assert listening.asked_for(STUDY)
        assert not listening.asked_for("2.25.2")
    clock.now += 30
    assert [listening.is_open] == [True]
    clock.now += 1
    assert [listening.is_open] == [False]
    with asking.retrieving("2.25.2"):
        assert not listening.asked_for(STUDY)


def test_takes_uids_only(tmp_path: Path) -> None:
    window = RetrieveWindow(tmp_path, _Clock(), 1.0)
    with pytest.raises(UsageError, match="no Study Instance UID"):
        window.retrieving("../x").__enter__()


def test_who_asks_learns_what_who_listens_refuses(tmp_path: Path) -> None:
    asking, listening = (RetrieveWindow(tmp_path, _Clock(), 0.0) for _ in range(2))
    listening.note_refusal("nobody asks")
    assert not (tmp_path / REFUSALS_FILE).exists()
    for reasons in (["A700", "A700", "0122"], ["C000"], []):
        with asking.retrieving(STUDY), asking.watching_refusals() as refusals:
            for reason in reasons:
                listening.note_refusal(reason)
        assert refusals == Counter(reasons)
    (tmp_path / REFUSALS_FILE).write_text('"whole"\n"cut off')
    with asking.retrieving(STUDY), asking.watching_refusals() as refusals:
        assert (tmp_path / REFUSALS_FILE).exists()
    assert not refusals
