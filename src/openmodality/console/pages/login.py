"""Log in, choose a password at a link that works once, log out, and see one's own sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.emergency import is_offered, override
from openmodality.console.pages.shell import Page, do_and_return, find_theme, make_local, render_page
from openmodality.console.security.access import Anybody, At, FormOfAnybody, SentForm, find_address
from openmodality.console.security.secrets import SHORTEST_PASSWORD, digest_secret
from openmodality.console.template_files import format_clock
from openmodality.errors import OpenModalityError
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class SessionLine:
    """An open session of the user."""

    id: int
    opened: str
    seen: str
    address: str
    is_this: bool


router = APIRouter()


@router.get("/login")
def _show_login(request: Request, context: At, back: str = "/", ended: bool = False) -> Response:
    said = "Your session has ended, and nothing was done. Log in, and do it again." if ended else ""
    return _render(request, context, "login.html", name="", back=make_local(back), error=said)


@router.post("/login")
def _log_in(request: Request, form: FormOfAnybody, context: At) -> Response:
    name, back, address = form["name"], make_local(form["back"]), find_address(request)
    with context.login_limits.take_turn():
        wait_s = context.login_limits.find_wait_s(name, address)
        secret = None if wait_s > 0 else context.accounts.log_in(name, form.read_raw("password"), address)
        if wait_s <= 0 and secret is None:
            context.login_limits.note_failure(name, address)
    if wait_s > 0:
        said = f"Too many attempts. Try again in {wait_s:.0f} s."
        answer = _render(request, context, "login.html", name=name, back=back, error=said, status=429)
        answer.headers["retry-after"] = str(int(wait_s) + 1)
        return answer
    if secret is None:
        said = "Name or password is wrong."
        return _render(request, context, "login.html", name=name, back=back, error=said, status=401)
    context.login_limits.note_success(name, address)
    return _let_in(context, secret, back)


@router.post("/login/emergency")
def _start_emergency(request: Request, context: At) -> Response:
    try:
        exam = override(context, request)
    except OpenModalityError as error:
        return _render(request, context, "login.html", name="", back="/", error=str(error), status=403)
    return _render(request, context, "emergency.html", exam=exam.id)


@router.get("/setup/{secret}")
def _show_setup(request: Request, context: At, secret: str) -> Response:
    owner = context.accounts.whose_link(secret)
    if owner is None:
        said = "This link was used, or is older than an hour. Ask for another one: openmodality console link."
        return _render(request, context, "login.html", name="", back="/", error=said, status=410)
    return _render(
        request, context, "setup.html", owner=owner, name=owner, secret=secret, error="", shortest=SHORTEST_PASSWORD
    )


@router.post("/setup/{secret}")
def _set_up(request: Request, form: FormOfAnybody, context: At, secret: str) -> Response:
    password, name = form.read_raw("password"), form["name"]
    try:
        if password != form.read_raw("repeated"):
            raise OpenModalityError("the two passwords are not the same")
        owner = context.accounts.use_link(secret, password, name)
    except OpenModalityError as error:
        owner = context.accounts.whose_link(secret) or ""
        view = {"owner": owner, "name": name or owner, "secret": secret, "shortest": SHORTEST_PASSWORD}
        return _render(request, context, "setup.html", error=str(error), status=400, **view)
    session = context.accounts.log_in(owner, password, find_address(request))
    return RedirectResponse("/login", 303) if session is None else _let_in(context, session, "/")


@router.post("/logout")
def _log_out(who: Anybody, form: SentForm, context: At) -> Response:
    context.accounts.log_out(who.session)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(context.cookie, secure=context.is_secure, httponly=True, samesite="strict")
    answer.headers["clear-site-data"] = '"cache"'
    return answer


@router.get("/account")
def _show_account(request: Request, who: Anybody, context: At) -> Response:
    sessions = list_own_sessions(context, who.user_id, who.session)
    allowed = sorted(permission.meaning for permission in who.permissions)
    return render_page(
        request, context, who, Page("account.html", "Account", "account"), sessions=sessions, allowed=allowed
    )


@router.post("/account/sessions/{session_id}/end")
def _end_session(who: Anybody, form: SentForm, context: At, session_id: int) -> Response:
    def end() -> str:
        context.accounts.revoke_session(who.user_id, session_id)
        return "The session is ended."

    return do_and_return(context, who, "/account", end)


def list_own_sessions(context: ConsoleContext, user_id: int, session: str) -> Sequence[SessionLine]:
    """The open sessions of a user, newest first."""
    digest = digest_secret(session)
    return [
        SessionLine(
            each.id, format_clock(each.created_at), format_clock(each.seen_at), each.address, each.digest == digest
        )
        for each in context.accounts.list_sessions(user_id)
    ]


def _let_in(context: ConsoleContext, secret: str, back: str) -> Response:
    answer = RedirectResponse(back, 303)
    answer.set_cookie(context.cookie, secret, path="/", httponly=True, samesite="strict", secure=context.is_secure)
    return answer


def _render(
    request: Request, context: ConsoleContext, template: str, *, status: int = 200, **view: Any
) -> HTMLResponse:
    device = context.modality.site.settings.device.alias or context.modality.site.profile.title
    common = {"theme": find_theme(request), "device": device, "offers_emergency": is_offered(context, request)}
    text = context.templates.render(template, **common, **view)
    return HTMLResponse(text, status)
