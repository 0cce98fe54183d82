"""Questions to archives: each ends in an answer, and a session has a few at a time."""

from __future__ import annotations

import threading

import pytest

from openmodality.console.inquiries import LIST, Inquiries, InquiryAnswer
from openmodality.errors import WrongState
from tests.peers.process import wait_until


def test_questions_end_in_an_answer_whatever_happens() -> None:
    inquiries = Inquiries(lambda: 1.0)
    with pytest.raises(WrongState, match="no list"):
        inquiries.open("a", "1.2", InquiryAnswer)

    def fail() -> InquiryAnswer:
        raise ZeroDivisionError

    inquiries.begin("a", "pacs", {}, fail)
    wait_until(lambda: not inquiries.look("a").inquiries[LIST].is_running, timeout_s=10)
    assert "mistake" in inquiries.look("a").inquiries[LIST].failed
    assert inquiries.look("b").number == 0
    free = threading.Event()

    def wait() -> InquiryAnswer:
        free.wait(10)
        return InquiryAnswer(("row",), has_more=True)

    inquiries.begin("a", "pacs", {}, wait)
    for key in ("1", "2", "3", "3"):
        inquiries.open("a", key, wait)
    with pytest.raises(WrongState, match="wait for their answers"):
        inquiries.open("a", "4", wait)
    free.set()
    wait_until(lambda: not any(each.is_running for each in inquiries.look("a").inquiries.values()), timeout_s=10)
    assert inquiries.look("a").inquiries["3"].found.has_more
