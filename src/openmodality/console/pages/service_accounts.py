"""Service: users and tokens of programs. Links and tokens are shown once, to whoever made them, and never again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.console.address import make_link_url
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.shell import Page, do_and_return, render_page
from openmodality.console.security.access import At, Form, Manager, SentForm
from openmodality.console.security.accounts import Principal
from openmodality.console.security.roles import PERMISSIONS, Permission, UserRole
from openmodality.console.template_files import format_clock
from openmodality.errors import OpenModalityError, UsageError
from openmodality.value_class import dataclass

_USERS: Final = "/service/users"
_LONGEST_DAYS: Final = 3650


@dataclass(frozen=True, slots=True)
class UserLine:
    """A user in a list."""

    name: str
    roles: Sequence[str]
    has_password: bool
    made: str
    disabled: str
    is_self: bool


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token of a program in a list, without the token itself."""

    name: str
    scopes: Sequence[str]
    made: str
    expires: str


@dataclass(frozen=True, slots=True)
class Given:
    """What is shown this once: a link at which somebody chooses a password, or a token."""

    what: str
    secret: str
    advice: str


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What was typed for something new, and what is wrong with it."""

    name: str = ""
    ticked: Sequence[str] = ()
    error: str = ""


class NewUser(NewEntry):
    """A user who could not be added."""


@dataclass(frozen=True, slots=True)
class NewToken(NewEntry):
    """A token that could not be made."""

    days: str = ""


router = APIRouter()


@router.get(_USERS)
def _show_accounts(request: Request, who: Manager, context: At) -> Response:
    return _render(request, context, who)


@router.post(_USERS)
def _add_user(request: Request, who: Manager, form: SentForm, context: At) -> Response:
    name, roles = form["name"], form.list_all("role")
    try:
        secret = context.accounts.add_user(name, roles)
    except OpenModalityError as error:
        return _render(request, context, who, NewUser(name, roles, str(error)))
    return _render(request, context, who, _make_link_note(request, name, secret))


@router.post("/service/users/{name}/roles")
def _change_roles(who: Manager, form: SentForm, context: At, name: str) -> Response:
    def change() -> str:
        roles = form.list_all("role")
        if name == who.name and not any(Permission.MANAGE in PERMISSIONS[UserRole(each)] for each in roles):
            raise UsageError("you would not come back here", advice="let another user with the role service do it")
        changed = context.accounts.change_roles(name, roles)
        return f"{name} is {', '.join(changed.roles)} now, and has to log in again."

    return do_and_return(context, who, _USERS, change)


@router.post("/service/users/{name}/access")
def _change_access(who: Manager, form: SentForm, context: At, name: str) -> Response:
    def change() -> str:
        if name == who.name:
            raise UsageError("nobody shuts himself out", advice="let another user with the role service do it")
        if form["access"] == "enable":
            context.accounts.enable_user(name)
            return f"{name} may log in again."
        context.accounts.disable_user(name)
        return f"{name} is let in no longer, and the open sessions are ended."

    return do_and_return(context, who, _USERS, change)


@router.post("/service/users/{name}/link")
def _make_link(request: Request, who: Manager, form: SentForm, context: At, name: str) -> Response:
    return _render(request, context, who, _make_link_note(request, name, context.accounts.make_link(name)))


@router.post("/service/tokens")
def _add_token(request: Request, who: Manager, form: SentForm, context: At) -> Response:
    name, scopes = form["name"], form.list_all("scope")
    try:
        secret = context.accounts.add_token(name, scopes, _read_days(form))
    except OpenModalityError as error:
        return _render(request, context, who, NewToken(name, scopes, str(error), form["days"]))
    advice = "The program shows it as Authorization: Bearer TOKEN. Who has it can do what its scopes say."
    return _render(request, context, who, Given(f"The token {name}", secret, advice))


@router.post("/service/tokens/{name}/revoke")
def _revoke_token(who: Manager, form: SentForm, context: At, name: str) -> Response:
    def revoke() -> str:
        context.accounts.revoke_token(name)
        return f"The token {name} is good no longer."

    return do_and_return(context, who, _USERS, revoke)


def _read_days(form: Form) -> int | None:
    given = form["days"]
    if not given:
        return None
    if not given.isdecimal() or not 1 <= int(given) <= _LONGEST_DAYS:
        raise UsageError(f"{given!r} is no number of days from 1 to {_LONGEST_DAYS}")
    return int(given)


def _make_link_note(request: Request, name: str, secret: str) -> Given:
    url = make_link_url(str(request.base_url).rstrip("/"), secret)
    return Given(f"A link for {name}", url, "It works once, for an hour. There the user chooses a password.")


def _render(
    request: Request,
    context: ConsoleContext,
    who: Principal,
    shown: Given | NewUser | NewToken | None = None,
) -> Response:
    is_wrong = isinstance(shown, NewEntry)
    page = Page("service_accounts.html", "Users and tokens", "service", status=400 if is_wrong else 200)
    roles = [(role, ", ".join(sorted(each.meaning for each in PERMISSIONS[role]))) for role in UserRole]
    scopes = [(each, each.meaning) for each in Permission]
    return render_page(
        request,
        context,
        who,
        page,
        tab="users",
        users=list_user_lines(context, who),
        tokens=list_token_lines(context),
        roles=roles,
        scopes=scopes,
        given=shown if isinstance(shown, Given) else None,
        new_user=shown if isinstance(shown, NewUser) else NewUser(),
        new_token=shown if isinstance(shown, NewToken) else NewToken(),
    )


def list_user_lines(context: ConsoleContext, who: Principal) -> list[UserLine]:
    """All users, by name."""
    return [
        UserLine(
            each.name,
            each.roles,
            bool(each.password),
            format_clock(each.created_at),
            format_clock(each.disabled_at),
            each.name == who.name,
        )
        for each in context.accounts.list_users()
    ]


def list_token_lines(context: ConsoleContext) -> list[TokenLine]:
    """All tokens, by name."""
    return [
        TokenLine(each.name, each.scopes, format_clock(each.created_at), format_clock(each.expires_at))
        for each in context.accounts.list_tokens()
    ]
