"""``/users`` and ``/tokens``: who may operate the device, and which programs may."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from openmodality.app.records.accounts import token_as_json, user_as_json
from openmodality.console.address import make_link_url, make_url
from openmodality.console.api.access import ManageCall
from openmodality.console.api.answers import (
    RequestBody,
    answer_page,
    answer_record,
    tell_one,
    tell_page,
    tell_problems,
)
from openmodality.console.api.once import OnceOnly
from openmodality.console.api.places import PathName, WireName
from openmodality.console.context import ConsoleContext
from openmodality.console.security.access import At, allow
from openmodality.console.security.accounts import Principal
from openmodality.console.security.roles import Permission, UserRole
from openmodality.errors import NotFound, UsageError
from openmodality.store.rows.accounts import UserRow

router = APIRouter(prefix="/api/v1", tags=["accounts"])

_Manager = Annotated[Principal, Depends(allow(Permission.MANAGE))]


class UserOrder(RequestBody):
    """A user to be added."""

    user: WireName = Field(description="Its name.")
    roles: list[UserRole] = Field(min_length=1, max_length=10, description="What the user may do.")


class UserChange(RequestBody):
    """What is to change of a user."""

    roles: list[UserRole] | None = Field(None, min_length=1, max_length=10, description="Other roles.")
    disabled: bool | None = Field(None, description="True: let the user in no longer; false: again.")


class TokenOrder(RequestBody):
    """A token to be made for a program."""

    name: WireName = Field(description="Its name.")
    scopes: list[Permission] = Field(min_length=1, max_length=10, description="What the program may do.")
    days: int | None = Field(None, ge=1, le=3650, description="Good for so long; until revoked where there is none.")


@router.get("/users", summary="List users", responses=tell_page("console user"))
def _list_users(_: _Manager, context: At) -> Response:
    """Users of the console, with their roles."""
    return answer_page(map(user_as_json, context.accounts.list_users()))


@router.post("/users", status_code=201, summary="Add a user", responses=tell_one("console user", status=201))
def _add_user(_: ManageCall, context: At, once: OnceOnly, user: UserOrder) -> Response:
    """Add a user. The link of the answer is where the user chooses a password; it works once, for an hour."""

    def add() -> JSONResponse:
        secret = context.accounts.add_user(user.user, user.roles)
        return answer_record(_describe_user(context, user.user, secret), 201)

    return once.do_secretly(add)


@router.patch("/users/{name}", summary="Change a user", responses=tell_one("console user", 404))
def _change_user(_: ManageCall, context: At, name: PathName, change: UserChange) -> Response:
    """Give a user other roles, or let the user in no longer or again. Open sessions of the user end."""
    if change.roles is None and change.disabled is None:
        raise UsageError("nothing is to change", advice="give roles or disabled")
    _find_user(context, name)
    if change.roles is not None:
        context.accounts.change_roles(name, change.roles)
    if change.disabled is not None:
        (context.accounts.disable_user if change.disabled else context.accounts.enable_user)(name)
    return answer_record(user_as_json(_find_user(context, name)))


@router.post("/users/{name}/link", summary="Make a link for a user", responses=tell_one("console user", 404))
def _make_user_link(_: ManageCall, context: At, once: OnceOnly, name: PathName) -> Response:
    """A link at which a user chooses a new password. It works once, for an hour; then open sessions end."""
    _find_user(context, name)
    return once.do_secretly(lambda: answer_record(_describe_user(context, name, context.accounts.make_link(name))))


def _describe_user(context: ConsoleContext, name: str, secret: str) -> dict[str, object]:
    url = make_url(context.modality.site.settings.console, context.port)
    return user_as_json(_find_user(context, name), make_link_url(url, secret))


def _find_user(context: ConsoleContext, name: str) -> UserRow:
    found = [each for each in context.accounts.list_users() if each.name == name]
    if not found:
        raise NotFound(f"there is no user {name}", advice="GET /api/v1/users lists all")
    return found[0]


@router.get("/tokens", summary="List tokens", responses=tell_page("console token"))
def _list_tokens(_: _Manager, context: At) -> Response:
    """Tokens of programs, without the tokens themselves."""
    return answer_page(map(token_as_json, context.accounts.list_tokens()))


@router.post("/tokens", status_code=201, summary="Make a token", responses=tell_one("console token", status=201))
def _add_token(_: ManageCall, context: At, once: OnceOnly, token: TokenOrder) -> Response:
    """Make a token for a program; the answer shows it, once."""

    def add() -> JSONResponse:
        secret = context.accounts.add_token(token.name, token.scopes, token.days)
        made = next(each for each in context.accounts.list_tokens() if each.name == token.name)
        return answer_record(token_as_json(made, secret), 201)

    return once.do_secretly(add)


@router.delete(
    "/tokens/{name}",
    status_code=204,
    summary="Revoke a token",
    responses=tell_problems(404) | {204: {"description": "It is good no longer."}},
)
def _revoke_token(_: ManageCall, context: At, name: PathName) -> Response:
    """Let a token be good no longer."""
    context.accounts.revoke_token(name)
    return Response(status_code=204)
