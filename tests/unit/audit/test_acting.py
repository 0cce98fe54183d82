from __future__ import annotations

import contextvars
import threading

from openmodality.audit.acting import Actor, find_person, name_actor, set_actor
from openmodality.audit.events import ActingPerson

ALICE = ActingPerson("alice", "10.0.0.8")


def test_threads_of_one_request_share_who_acts_and_others_do_not() -> None:
    """As a server copies the context of a request into each thread that works for it."""
    found: list[ActingPerson | None] = []

    def request() -> None:
        set_actor(Actor())
        first, second = contextvars.copy_context(), contextvars.copy_context()
        for context, work in ((first, lambda: name_actor(ALICE)), (second, lambda: found.append(find_person()))):
            thread = threading.Thread(target=context.run, args=(work,))
            thread.start()
            thread.join()

    contextvars.copy_context().run(request)
    thread = threading.Thread(target=lambda: found.append(find_person()))
    thread.start()
    thread.join()
    assert found == [ALICE, None]


def test_nobody_is_named_where_nobody_asks() -> None:
    def work() -> None:
        name_actor(ALICE)
        assert find_person() is None

    contextvars.Context().run(work)  # commands that ran in this process before have set their own
