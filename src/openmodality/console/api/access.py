"""Who may call what of the API: as for pages, and a browser's session shows its form token for what changes something.

A program shows a token (``Authorization: Bearer``), which no browser would show by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from openmodality.console.security.access import NotAllowed, find_principal
from openmodality.console.security.accounts import Principal
from openmodality.console.security.roles import Permission


def allow_call(permission: Permission) -> Callable[[Request, Principal], Principal]:
    """A dependency that gives who asks. It raises :class:`NotAllowed` where he may not change anything here."""

    def check(request: Request, principal: Annotated[Principal, Depends(find_principal)]) -> Principal:
        if not principal.may(permission):
            raise NotAllowed(
                f"{principal.name} may not {permission.meaning}",
                advice="somebody with another role can, or give the token this scope",
            )
        shown = request.headers.get("x-form-token", "")
        if not principal.is_own_form(shown):
            raise NotAllowed(
                "the request does not show the token of its session",
                advice="a page sends it as X-Form-Token; a program shows a token of its own, and no cookie",
            )
        return principal

    return check


ViewCall = Annotated[Principal, Depends(allow_call(Permission.VIEW))]
"""Whoever may see, for a request that is no GET."""
OperateCall = Annotated[Principal, Depends(allow_call(Permission.OPERATE))]
ControlCall = Annotated[Principal, Depends(allow_call(Permission.CONTROL))]
DeleteCall = Annotated[Principal, Depends(allow_call(Permission.DELETE))]
CheckCall = Annotated[Principal, Depends(allow_call(Permission.CHECK))]
ManageCall = Annotated[Principal, Depends(allow_call(Permission.MANAGE))]
