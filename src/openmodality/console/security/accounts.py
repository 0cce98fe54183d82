"""Users, their sessions, links that work once, and tokens of programs: the rules over ``store.rows.accounts``.

Secrets go out once and are kept as digests. A user chooses the password himself, at a link that works once and
expires: nobody else ever knows it, and there is none to begin with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from openmodality.activities.audit import AuditTrail
from openmodality.audit.codes import EventType
from openmodality.audit.events import ActingPerson, tell_alert, tell_authentication
from openmodality.console.security.roles import FIRST_USER, Permission, UserRole, list_permissions
from openmodality.console.security.secrets import (
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    digest_secret,
    hash_password,
    is_form_token,
    is_password,
    make_secret,
)
from openmodality.device.site.site_file import ConsoleSettings
from openmodality.errors import NotFound, UsageError, WrongState
from openmodality.store.database import Database
from openmodality.store.rows.accounts import (
    SessionRow,
    TokenRow,
    UserRow,
    change_user,
    count_users,
    end_session,
    end_sessions_of,
    find_access_token,
    find_link,
    find_session,
    find_user,
    get_user,
    insert_access_token,
    insert_session,
    insert_user,
    read_access_tokens,
    read_sessions_of,
    read_users,
    remove_access_token,
    remove_link,
    remove_old_sessions,
    replace_link,
    touch_session,
)
from openmodality.store.transaction import Transaction
from openmodality.value_class import dataclass

_LINK_OF_ONE: Final = "openmodality console user link USER makes a link for one of them"
LINK_S: Final = 3600.0
"""How long a link works."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TOUCH_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """When a session ends: without a request for so long, and in any case."""

    idle_s: float
    absolute_s: float

    @classmethod
    def of(cls, settings: ConsoleSettings) -> SessionLimits:
        """As the site file says."""
        return cls(settings.idle_minutes * 60.0, settings.session_hours * 3600.0)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a user with a session, or a program with a token.

    ``session`` is the secret of the cookie; ``token`` the digest of a program's.
    """

    name: str
    permissions: frozenset[Permission]
    session: str = ""
    user_id: int = 0
    token: str = ""

    def is_own_form(self, token: str) -> bool:
        """Whether a request with this form token comes from the session; a program, without one, needs no token."""
        return not self.session or is_form_token(self.session, token)

    def may(self, permission: Permission) -> bool:
        """Whether it is allowed."""
        return permission in self.permissions


class Accounts:
    """The users of a database and what belongs to them."""

    def __init__(self, database: Database, limits: SessionLimits, trail: AuditTrail | None = None) -> None:
        self._database = database
        self.limits = limits
        self._trail = trail

    def _note(self, transaction: Transaction, kind: EventType, subject: str, said: str) -> None:
        """Put on record what is changed of users, links and tokens, with the change."""
        if self._trail is not None:
            self._trail.note(transaction, tell_alert(self._trail.who, kind, subject, said))

    def _tell_login(self, transaction: Transaction | None, name: str, address: str, failure: str = "") -> None:
        """Put a login on record with its session, or one that failed by itself."""
        if self._trail is None:
            return
        person = ActingPerson(name if _NAME.fullmatch(name) else "not a user's name", address)
        message = tell_authentication(self._trail.who, person, EventType.LOGIN, failure)
        if transaction is None:
            self._trail.tell(message)
        else:
            self._trail.note(transaction, message)

    # Users

    def list_users(self) -> list[UserRow]:
        """All users, by name."""
        with self._database.read() as snapshot:
            return read_users(snapshot)

    @property
    def has_users(self) -> bool:
        """Whether anybody can log in, or could once the link was opened."""
        with self._database.read() as snapshot:
            return count_users(snapshot) > 0

    def add_user(self, name: str, roles: Sequence[str]) -> str:
        """Add a user; the secret of the link at which the password is chosen."""
        _check_name(name)
        given = check_roles(roles)
        with self._database.write() as transaction:
            if find_user(transaction, name) is not None:
                raise WrongState(f"there is a user {name} already", advice="choose another name")
            user_id = insert_user(transaction, name, given)
            secret = make_secret()
            replace_link(transaction, user_id, digest_secret(secret), transaction.now + LINK_S)
            self._note(transaction, EventType.SECURITY_ROLES, name, f"user added, with roles {', '.join(given)}")
        return secret

    def make_link(self, name: str = "") -> str:
        """A link at which a user chooses a new password; without a name, one that makes the first user.

        Raises :class:`NotFound` where there is no such user, :class:`WrongState` where there are users already.
        """
        secret = make_secret()
        with self._database.write() as transaction:
            user_id = self._find(transaction, name).id if name else None
            if user_id is None and count_users(transaction):
                raise WrongState("this device has users already", advice=_LINK_OF_ONE)
            replace_link(transaction, user_id, digest_secret(secret), transaction.now + LINK_S)
            self._note(transaction, EventType.USER_SECURITY, name or "first user", "a link for a password was made")
        return secret

    def change_roles(self, name: str, roles: Sequence[str]) -> UserRow:
        """Give a user other roles; his sessions end."""
        given = check_roles(roles)
        said = f"roles changed to {', '.join(given)}"
        return self._change(name, EventType.SECURITY_ROLES, said, roles=" ".join(given))

    def disable_user(self, name: str) -> UserRow:
        """Let a user in no longer; his sessions end."""
        said = "the user is let in no longer"
        return self._change(name, EventType.USER_SECURITY, said, disabled_at=self._database.clock())

    def enable_user(self, name: str) -> UserRow:
        """Let a user in again."""
        return self._change(name, EventType.USER_SECURITY, "the user is let in again", disabled_at=None)

    def _change(self, name: str, kind: EventType, said: str, **values: object) -> UserRow:
        with self._database.write() as transaction:
            user = self._find(transaction, name)
            change_user(transaction, user.id, **values)
            end_sessions_of(transaction, user.id)
            self._note(transaction, kind, name, said)
            return get_user(transaction, user.id)

    # Links

    def whose_link(self, secret: str) -> str | None:
        """The name of the user whose link it is, empty for the one that makes the first user; else ``None``."""
        with self._database.read() as snapshot:
            link = find_link(snapshot, digest_secret(secret))
            if link is None or link.expires_at < self._database.clock():
                return None
            if link.user_id is None:
                return None if count_users(snapshot) else ""
            user = get_user(snapshot, link.user_id)
            return user.name if user.disabled_at is None else None

    def use_link(self, secret: str, password: str, name: str = "") -> str:
        """Choose a password at a link, which works no more then; the name of the user.

        ``name`` is that of the first user. Raises :class:`UsageError` for a password or a name that cannot be, and
        :class:`WrongState` where the link works no more.
        """
        owner = self.whose_link(secret)
        if owner is None:
            raise WrongState("this link was used or is too old", advice="ask for another one")
        check_password(password)
        if not owner:
            _check_name(name)
        hashed = hash_password(password)  # takes a while: not inside the transaction
        with self._database.write() as transaction:
            link = find_link(transaction, digest_secret(secret))
            if link is None or (link.user_id is None and count_users(transaction)):
                raise WrongState("this link was used meanwhile", advice="ask for another one")
            remove_link(transaction, link.id)
            user_id = link.user_id or insert_user(transaction, name, FIRST_USER)
            change_user(transaction, user_id, password=hashed)
            end_sessions_of(transaction, user_id)
            said = "a password was chosen" if owner else f"first user made, with roles {', '.join(FIRST_USER)}"
            kind = EventType.USER_SECURITY if owner else EventType.SECURITY_ROLES
            self._note(transaction, kind, owner or name, said)
        return owner or name

    # Sessions

    def log_in(self, name: str, password: str, address: str) -> str | None:
        """The secret of a new session; ``None`` where name or password are wrong, which is not told apart."""
        with self._database.read() as snapshot:
            user = find_user(snapshot, name)
        is_known = user is not None and user.disabled_at is None
        is_right = is_password(user.password if user and is_known else "", password[: LONGEST_PASSWORD + 1])
        if user is None or not is_right:
            self._tell_login(None, name, address, "name or password is wrong")
            return None
        secret = make_secret()
        with self._database.write() as transaction:
            remove_old_sessions(transaction, transaction.now - self.limits.absolute_s)
            insert_session(transaction, user.id, digest_secret(secret), address)
            self._tell_login(transaction, user.name, address)
        return secret

    def find_session(self, secret: str, *, keeps_open: bool = True) -> Principal | None:
        """Who has this session; ``None`` where it is over. Using it keeps it open, unless a page looks by itself."""
        now = self._database.clock()
        with self._database.read() as snapshot:
            session = find_session(snapshot, digest_secret(secret))
        if session is None or session.user.disabled_at is not None or not self._is_open(session, now):
            return None
        if keeps_open and now - session.seen_at > min(_TOUCH_S, self.limits.idle_s / 4):
            with self._database.write() as transaction:
                touch_session(transaction, session.id)
        return Principal(session.user.name, list_permissions(session.user.roles), secret, session.user.id)

    def _is_open(self, session: SessionRow, now: float) -> bool:
        return now - session.seen_at < self.limits.idle_s and now - session.created_at < self.limits.absolute_s

    def log_out(self, secret: str) -> None:
        """End a session."""
        with self._database.write() as transaction:
            session = find_session(transaction, digest_secret(secret))
            if session is not None:
                end_session(transaction, session.id)
                self._note_logout(transaction, session)

    def _note_logout(self, transaction: Transaction, session: SessionRow) -> None:
        if self._trail is not None:
            person = ActingPerson(session.user.name, session.address)
            self._trail.note(transaction, tell_authentication(self._trail.who, person, EventType.LOGOUT))

    def list_sessions(self, user_id: int) -> list[SessionRow]:
        """The open sessions of a user at this device."""
        now = self._database.clock()
        with self._database.read() as snapshot:
            return [each for each in read_sessions_of(snapshot, user_id) if self._is_open(each, now)]

    def revoke_session(self, user_id: int, session_id: int) -> None:
        """End one session of a user. Raises :class:`NotFound` where it is not his."""
        with self._database.write() as transaction:
            session = next((each for each in read_sessions_of(transaction, user_id) if each.id == session_id), None)
            if session is None:
                raise NotFound("there is no such session")
            end_session(transaction, session_id)
            self._note_logout(transaction, session)

    # Tokens

    def add_token(self, name: str, scopes: Sequence[str], days: int | None = None) -> str:
        """A token for a program: shown once. ``scopes`` are permissions; ``days`` how long it is good for."""
        _check_name(name)
        if not scopes or (unknown := sorted(set(scopes) - set(Permission))):
            known = ", ".join(Permission)
            raise UsageError(f"{', '.join(unknown)} is no scope; there are {known}" if scopes else "name a scope")
        secret = make_secret()
        with self._database.write() as transaction:
            if name in {each.name for each in read_access_tokens(transaction)}:
                raise WrongState(f"there is a token {name} already", advice="revoke it first, or choose another name")
            expires_at = None if days is None else transaction.now + days * 86400
            insert_access_token(transaction, name, digest_secret(secret), scopes, expires_at)
            said = f"token added, with scopes {', '.join(scopes)}"
            self._note(transaction, EventType.SECURITY_ROLES, name, said)
        return secret

    def list_tokens(self) -> list[TokenRow]:
        """All tokens, by name."""
        with self._database.read() as snapshot:
            return read_access_tokens(snapshot)

    def revoke_token(self, name: str) -> None:
        """Let a token be good no longer. Raises :class:`NotFound` where there is none of this name."""
        with self._database.write() as transaction:
            if not remove_access_token(transaction, name):
                raise NotFound(f"there is no token {name}", advice="openmodality console token list shows all")
            self._note(transaction, EventType.SECURITY_ROLES, name, "token revoked")

    def find_token(self, secret: str) -> Principal | None:
        """Which program shows this token; ``None`` where it is good no longer."""
        return self._find_program(digest_secret(secret))

    def is_still_in(self, principal: Principal) -> bool:
        """Whether a session or a token is still good; looking does not keep a session open."""
        if principal.session:
            return self.find_session(principal.session, keeps_open=False) is not None
        return self._find_program(principal.token) is not None

    def _find_program(self, digest: str) -> Principal | None:
        with self._database.read() as snapshot:
            token = find_access_token(snapshot, digest)
        if token is None or (token.expires_at is not None and token.expires_at < self._database.clock()):
            return None
        return Principal(token.name, frozenset(map(Permission, token.scopes)), token=digest)

    def _find(self, transaction: Transaction, name: str) -> UserRow:
        user = find_user(transaction, name)
        if user is None:
            raise NotFound(f"there is no user {name}", advice="openmodality console user list shows all")
        return user


def check_roles(roles: Sequence[str]) -> tuple[UserRole, ...]:
    """The roles. Raises :class:`UsageError` for one that there is not, and for none."""
    if not roles or set(roles) - set(UserRole):
        raise UsageError(f"a user has one or several of the roles {', '.join(UserRole)}")
    return tuple(dict.fromkeys(map(UserRole, roles)))


def check_password(password: str) -> None:
    """Raises :class:`UsageError` for a password that is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError("a name has up to 64 letters and digits without accents, and . _ @ - between them")
