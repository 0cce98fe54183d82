"""``openmodality console``: who may operate the device in a browser, and which programs may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from openmodality.app.records.accounts import token_as_json, user_as_json
from openmodality.app.records.values import format_time
from openmodality.cli.terminal.arguments import CliCommand, Group, Parser
from openmodality.cli.terminal.console import check_installed
from openmodality.cli.terminal.json_output import add_json, print_document
from openmodality.cli.terminal.output import say
from openmodality.cli.terminal.site import add_site, device
from openmodality.cli.terminal.table import Column, print_rows
from openmodality.cli.terminal.values import parse_integer
from openmodality.console.address import make_link_url, make_url
from openmodality.console.security.roles import Permission, UserRole
from openmodality.console.serving import has_port_taken, is_console_served
from openmodality.errors import UsageError

if TYPE_CHECKING:
    from openmodality.app.modality import Modality
    from openmodality.console.security.accounts import Accounts
    from openmodality.store.rows.accounts import TokenRow, UserRow

_LONGEST_DAYS: Final = 3650
_USER_COLUMNS: Final = (
    Column["UserRow"]("user", lambda each: each.name),
    Column["UserRow"]("roles", lambda each: ", ".join(each.roles)),
    Column["UserRow"]("password", lambda each: "chosen" if each.password else "not chosen yet"),
    Column["UserRow"]("made", lambda each: format_time(each.created_at), leave_out=1),
    Column["UserRow"]("disabled", lambda each: format_time(each.disabled_at)),
)
_TOKEN_COLUMNS: Final[Sequence[Column[TokenRow]]] = (
    Column("token", lambda each: each.name),
    Column("scopes", lambda each: ", ".join(each.scopes)),
    Column("made", lambda each: format_time(each.created_at), leave_out=1),
    Column("expires", lambda each: format_time(each.expires_at) or "never"),
)


def _declare(parser: Parser) -> None:
    add_site(parser)
    add_json(parser)


def _declare_user(parser: Parser) -> None:
    parser.add_argument("user", metavar="USER", help="Name of the user.")
    _declare(parser)


def _add_roles(parser: Parser) -> None:
    parser.add_argument(
        "--role",
        dest="roles",
        choices=[role.value for role in UserRole],
        action="append",
        default=[],
        help="What the user may do. May be repeated.",
    )


def _declare_new_user(parser: Parser) -> None:
    parser.add_argument("user", metavar="USER", help="Name of the new user.")
    _add_roles(parser)
    _declare(parser)


def _declare_change(parser: Parser) -> None:
    parser.add_argument("user", metavar="USER", help="Name of the user.")
    _add_roles(parser)
    parser.add_argument("--disable", action="store_true", help="Let the user in no longer.")
    parser.add_argument("--enable", action="store_true", help="Let the user in again.")
    _declare(parser)


def make_first_link(site_file: str, as_json: bool) -> None:
    """Print a link at which the first user is made, as serve does at its start. It works once, for an hour."""
    with _open(site_file) as modality:
        _print_link(modality, _accounts(modality).make_link(), None, as_json=as_json)


def list_users(site_file: str, as_json: bool) -> None:
    """Users of the console, with their roles."""
    with _open(site_file) as modality:
        users = _accounts(modality).list_users()
    if as_json:
        print_document(map(user_as_json, users))
    else:
        print_rows(_USER_COLUMNS, users, empty="there are no users; 'openmodality serve' prints a link to make one")


def add_user(user: str, roles: tuple[str, ...], site_file: str, as_json: bool) -> None:
    """Add a user, and print a link at which the user chooses a password. It works once, for an hour.

    Roles: viewer sees; operator asks for the worklist, starts and ends exams, sends; senior also cancels jobs and
    deletes; service sees, asks peers and controls jobs; auditor sees no patient. A user may have several.
    """
    with _open(site_file) as modality:
        accounts = _accounts(modality)
        secret = accounts.add_user(user, roles)
        _print_link(modality, secret, _find(accounts, user), as_json=as_json)


def make_user_link(user: str, site_file: str, as_json: bool) -> None:
    """Print a link at which a user chooses a new password. It works once, for an hour; then open sessions end."""
    with _open(site_file) as modality:
        accounts = _accounts(modality)
        secret = accounts.make_link(user)
        _print_link(modality, secret, _find(accounts, user), as_json=as_json)


def change_roles_or_access(
    user: str, roles: tuple[str, ...], disable: bool, enable: bool, site_file: str, as_json: bool
) -> None:
    """Give a user other roles, or let the user in no longer or again. Open sessions of the user end."""
    if (not roles and not disable and not enable) or (disable and enable):
        raise UsageError("say what is to change: --role, or one of --disable and --enable")
    with _open(site_file) as modality:
        accounts = _accounts(modality)
        if roles:
            accounts.change_roles(user, roles)
        if disable:
            accounts.disable_user(user)
        if enable:
            accounts.enable_user(user)
        changed = _find(accounts, user)
    if as_json:
        print_document([user_as_json(changed)])
    else:
        state = ", disabled" if changed.disabled_at else ""
        print(f"user {changed.name}: {', '.join(changed.roles)}{state}")


def _declare_token(parser: Parser) -> None:
    parser.add_argument("token", metavar="TOKEN", help="Name of the token.")
    _declare(parser)


def _declare_new_token(parser: Parser) -> None:
    parser.add_argument("token", metavar="TOKEN", help="Name of the new token.")
    parser.add_argument(
        "--scope",
        dest="scopes",
        choices=[permission.value for permission in Permission],
        action="append",
        default=[],
        help="What the program may do. May be repeated.",
    )
    parser.add_argument(
        "--days", metavar="N", type=parse_integer(1, _LONGEST_DAYS), help="Good for so long.  [default: until revoked]"
    )
    _declare(parser)


def list_tokens(site_file: str, as_json: bool) -> None:
    """Tokens of programs, without the tokens themselves."""
    with _open(site_file) as modality:
        tokens = _accounts(modality).list_tokens()
    if as_json:
        print_document(map(token_as_json, tokens))
    else:
        print_rows(_TOKEN_COLUMNS, tokens, empty="there are no tokens")


def add_token(token: str, scopes: tuple[str, ...], days: int | None, site_file: str, as_json: bool) -> None:
    """Make a token for a program, and print it, once.

    A program shows it as "Authorization: Bearer TOKEN". What is kept of it does not give it away.
    """
    with _open(site_file) as modality:
        accounts = _accounts(modality)
        secret = accounts.add_token(token, scopes, days)
        made = next(each for each in accounts.list_tokens() if each.name == token)
    if as_json:
        print_document([token_as_json(made, secret)])
    else:
        say(f"token {token}; it is shown this once")
        print(secret)


def revoke_token(token: str, site_file: str, as_json: bool) -> None:
    """Let a token be good no longer."""
    with _open(site_file) as modality:
        accounts = _accounts(modality)
        revoked = [each for each in accounts.list_tokens() if each.name == token]
        accounts.revoke_token(token)
    if as_json:
        print_document(map(token_as_json, revoked))
    else:
        print(f"token {token} is revoked")


def _open(site_file: str) -> Modality:
    check_installed()
    return device(site_file)


def _accounts(modality: Modality) -> Accounts:
    from openmodality.console.security.accounts import Accounts, SessionLimits  # noqa: PLC0415 - part of an extra

    return Accounts(modality.database, SessionLimits.of(modality.site.settings.console), modality.audit.trail)


def _find(accounts: Accounts, name: str) -> UserRow:
    return next(each for each in accounts.list_users() if each.name == name)


def _print_link(modality: Modality, secret: str, user: UserRow | None, *, as_json: bool) -> None:
    link = make_link_url(make_url(modality.site.settings.console), secret)
    if as_json:
        none: dict[str, Any] = dict.fromkeys(("user", "made", "disabled"), None) | {"roles": [], "has_password": False}
        print_document([user_as_json(user, link) if user else {**none, "link": link}])
        return
    say("the link works once, for an hour, while the console is served")
    site = modality.site
    if not is_console_served(site.data_folder) and has_port_taken(site.settings.console):
        say(
            f"NOTE: it is not served now, and port {site.settings.console.port} is taken, as by the console of another"
            " device; give this one a console.port of its own in the site file, and ask for another link"
        )
    print(link)


command = Group(
    'The operator\'s console: who may use it. "openmodality serve" serves it.',
    {
        "link": CliCommand(make_first_link, _declare),
        "user": Group(
            "Users of the console.",
            {
                "add": CliCommand(add_user, _declare_new_user),
                "change": CliCommand(change_roles_or_access, _declare_change),
                "link": CliCommand(make_user_link, _declare_user),
                "list": CliCommand(list_users, _declare),
            },
        ),
        "token": Group(
            "Tokens of programs.",
            {
                "add": CliCommand(add_token, _declare_new_token),
                "list": CliCommand(list_tokens, _declare),
                "revoke": CliCommand(revoke_token, _declare_token),
            },
        ),
    },
)
