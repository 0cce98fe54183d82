"""Users of the console and tokens of programs as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openmodality.app.records.values import format_zoned

if TYPE_CHECKING:
    from openmodality.store.rows.accounts import TokenRow, UserRow


def user_as_json(user: UserRow, link: str | None = None) -> dict[str, Any]:
    """A user for a program; ``link`` is where a password is chosen, once."""
    return {
        "user": user.name,
        "roles": list(user.roles),
        "has_password": bool(user.password),
        "made": format_zoned(user.created_at),
        "disabled": format_zoned(user.disabled_at),
        "link": link,
    }


def token_as_json(token: TokenRow, secret: str | None = None) -> dict[str, Any]:
    """A token for a program; ``secret`` is the token itself, which is shown once."""
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "made": format_zoned(token.created_at),
        "expires": format_zoned(token.expires_at),
        "token": secret,
    }
