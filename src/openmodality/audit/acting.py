"""Who has the device do what it does just now: a user of the console, a program with a token, or of the machine.

A request of the console is answered by several threads, which share the :class:`Actor` that was set before them. What
the device does by itself, such as jobs, is done in threads in which nobody is set.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from openmodality.audit.events import ActingPerson


@dataclass(slots=True)
class Actor:
    """A place for whoever acts: whoever finds out later puts the person there."""

    person: ActingPerson | None = None


_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


def set_actor(actor: Actor) -> None:
    """Let this context and those that come from it act for somebody."""
    _ACTOR.set(actor)


def name_actor(person: ActingPerson) -> None:
    """Say who acts, where a place for that was made."""
    actor = _ACTOR.get()
    if actor is not None:
        actor.person = person


def find_person() -> ActingPerson | None:
    """Who acts; ``None`` where the device does so by itself."""
    actor = _ACTOR.get()
    return None if actor is None else actor.person
