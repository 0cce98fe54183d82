"""Makes and compares passwords, and the secrets that browsers and programs show instead; only digests are kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 256
_SECRET_BYTES: Final = 32
_HASHER: Final = PasswordHasher()  # its defaults are those of RFC 9106 for little memory


def hash_password(password: str) -> str:
    """The argon2id hash of a password, with salt and costs."""
    return _HASHER.hash(password)


def is_password(hashed: str, password: str) -> bool:
    """Whether a password is that of the hash. Takes as long where there is no hash, so that nobody learns of names."""
    try:
        _HASHER.verify(hashed or _make_dummy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(hashed)


@cache
def _make_dummy() -> str:
    return _HASHER.hash(secrets.token_urlsafe())


def make_secret() -> str:
    """256 bits that nobody guesses, for a URL or a cookie."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest_secret(secret: str) -> str:
    """The digest of a session, link or token, which alone is kept. Secrets are random: a fast digest is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_form_token(session: str) -> str:
    """The token that forms of a session bring back, so that no other site can make them."""
    return hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(session: str, token: str) -> bool:
    """Whether a form of this session brought its token."""
    return hmac.compare_digest(make_form_token(session).encode(), token.encode())
