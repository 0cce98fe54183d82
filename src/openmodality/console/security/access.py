"""Dependencies of routes: who asks, and whether that user or program may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request

from openmodality.audit.acting import name_actor
from openmodality.audit.events import ActingPerson
from openmodality.console.context import ConsoleContext, find_context
from openmodality.console.security.accounts import Principal
from openmodality.console.security.guard import BodyTooLarge
from openmodality.console.security.roles import Permission
from openmodality.errors import OpenModalityError, UsageError

_BEARER = "Bearer "
_TOKEN_ADVICE = "a program shows a token of openmodality console token add as Authorization: Bearer TOKEN"


class NotLoggedIn(OpenModalityError):
    """Nobody is logged in, or the session is over."""


class NotAllowed(OpenModalityError):
    """The roles of the user, or the scopes of the token, do not allow it."""


class Form:
    """The fields of a form that was sent."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> str:
        """The value of a field, without blanks at its ends; empty where it is missing."""
        return self._fields.get(name, [""])[0].strip()

    def list_all(self, name: str) -> list[str]:
        """All values of a field that a form may have several times: ticks."""
        return [value.strip() for value in self._fields.get(name, ())]

    def __iter__(self) -> Iterator[str]:
        """The names of the fields."""
        return iter(self._fields)

    def __contains__(self, name: str) -> bool:
        """Whether the form has a field."""
        return name in self._fields

    def read_raw(self, name: str) -> str:
        """The value as it was typed: a password."""
        return self._fields.get(name, [""])[0]


def find_principal(request: Request, context: Annotated[ConsoleContext, Depends(find_context)]) -> Principal:
    """Who asks. Raises :class:`NotLoggedIn`. A page that looks by itself (``?live``) does not keep a session open.

    The page is told which event was the last before it was made, so that its stream begins there.
    """
    request.state.position = context.modality.database.last_event()
    shown = request.headers.get("authorization", "")
    if shown.startswith(_BEARER):
        program = context.accounts.find_token(shown.removeprefix(_BEARER))
        if program is None:
            raise NotLoggedIn("this token is not, or no longer, good here", advice=_TOKEN_ADVICE)
        name_actor(ActingPerson(program.name, find_address(request)))
        return program
    secret = request.cookies.get(context.cookie, "")
    keeps_open = "live" not in request.query_params
    user = context.accounts.find_session(secret, keeps_open=keeps_open) if secret else None
    if user is None:
        raise NotLoggedIn("nobody is logged in", advice=f"log in; {_TOKEN_ADVICE}")
    name_actor(ActingPerson(user.name, find_address(request)))
    return user


def find_address(request: Request) -> str:
    """From where the request came."""
    return request.client.host if request.client else ""


def allow(permission: Permission) -> Callable[[Principal], Principal]:
    """A dependency that gives who asks. It raises :class:`NotAllowed` where he may not."""

    def check(principal: Annotated[Principal, Depends(find_principal)]) -> Principal:
        if not principal.may(permission):
            raise NotAllowed(
                f"{principal.name} may not {permission.meaning}",
                advice="somebody with another role can, or can give you that role",
            )
        return principal

    return check


async def read_form(request: Request) -> Form:
    """The form that was sent, before anybody is logged in."""
    try:
        body = await request.body()
        return Form(parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=1000))
    except (BodyTooLarge, ValueError) as error:
        raise UsageError("the form cannot be read") from error


def read_own_form(
    request: Request,
    form: Annotated[Form, Depends(read_form)],
    principal: Annotated[Principal, Depends(find_principal)],
) -> Form:
    """The form of somebody who is logged in. Raises :class:`NotAllowed` where it lacks the token of the session."""
    token = form["form_token"] or request.headers.get("x-form-token", "")
    if not principal.is_own_form(token):
        raise NotAllowed("the form is not of this session", advice="open the page again and repeat")
    return form


def check_part(request: Request, principal: Annotated[Principal, Depends(allow(Permission.OPERATE))]) -> Principal:
    """Who sends a part of a file, which is no form: its token is a header."""
    if not principal.is_own_form(request.headers.get("x-form-token", "")):
        raise NotAllowed("the file is not of this session", advice="open the page again and repeat")
    return principal


Anybody = Annotated[Principal, Depends(find_principal)]
"""Whoever is logged in."""
Viewer = Annotated[Principal, Depends(allow(Permission.VIEW))]
Operator = Annotated[Principal, Depends(allow(Permission.OPERATE))]
Controller = Annotated[Principal, Depends(allow(Permission.CONTROL))]
Deleter = Annotated[Principal, Depends(allow(Permission.DELETE))]
Checker = Annotated[Principal, Depends(allow(Permission.CHECK))]
Manager = Annotated[Principal, Depends(allow(Permission.MANAGE))]
Auditor = Annotated[Principal, Depends(allow(Permission.AUDIT))]
SentForm = Annotated[Form, Depends(read_own_form)]
"""The form that a user has sent, with the token of his session."""
SentPart = Annotated[Principal, Depends(check_part)]
FormOfAnybody = Annotated[Form, Depends(read_form)]
At = Annotated[ConsoleContext, Depends(find_context)]
"""The console that is asked."""
