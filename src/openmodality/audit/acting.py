"""The person for whom the device acts now: a user of the console, a program with a token, or a user of the machine.

A request of the console is answered by several threads, which share the :class:`Actor` that was set before they began.
What the device does by itself, such as jobs, runs in threads without an actor.
"""

from __future__ import annotations

from contextvars import ContextVar

from openmodality.audit.events import ActingPerson
from openmodality.value_class import dataclass


@dataclass(slots=True)
class Actor:
    """Holds the person who acts; the name may be filled in later, when it is known."""

    person: ActingPerson | None = None


_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


def set_actor(actor: Actor) -> None:
    """Set the actor for this context and for those that are copied from it."""
    _ACTOR.set(actor)


def name_actor(person: ActingPerson) -> None:
    """Fill in who acts, where an actor was set."""
    actor = _ACTOR.get()
    if actor is not None:
        actor.person = person


def find_person() -> ActingPerson | None:
    """The person who acts; ``None`` where the device acts by itself."""
    actor = _ACTOR.get()
    return None if actor is None else actor.person
