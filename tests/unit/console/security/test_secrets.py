from __future__ import annotations

import pytest

from openmodality.console.security.secrets import (
    digest_secret,
    hash_password,
    is_form_token,
    is_password,
    make_form_token,
    make_secret,
)


@pytest.mark.usefixtures("full_passwords")
def test_a_password_is_known_again_by_its_hash_alone() -> None:
    hashed = hash_password("correct horse")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$"), "the second choice of RFC 9106"
    assert is_password(hashed, "correct horse")
    assert not is_password(hashed, "correct horsf")
    assert not is_password("", "correct horse")
    assert not is_password("no hash", "correct horse")


def test_the_token_of_forms_belongs_to_one_session_and_does_not_give_it_away() -> None:
    one, other = make_secret(), make_secret()
    token = make_form_token(one)
    assert is_form_token(one, token)
    assert not is_form_token(other, token)
    assert not is_form_token(one, "é")
    assert one not in token
    assert digest_secret(one) not in token
    assert len(one) >= 43, "256 bits"
