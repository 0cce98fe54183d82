"""Options for what an association proposes."""

from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from openmodality.cli.terminal.arguments import Parser
from openmodality.cli.terminal.association import PASSWORD, SYNTAXES, add_association, parse_user
from openmodality.errors import UsageError
from openmodality.upper_layer.user_information import UserIdentityRQ


def test_a_user_has_the_password_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PASSWORD, raising=False)
    assert parse_user("ann") == UserIdentityRQ(1, b"ann")
    monkeypatch.setenv(PASSWORD, "sécret")
    assert parse_user("ann") == UserIdentityRQ(2, b"ann", "sécret".encode())
    for wrong in ("", " ", "a" * 70000):
        with pytest.raises(ArgumentTypeError):
            parse_user(wrong)


def test_nothing_is_said_where_nothing_is_given() -> None:
    parser = Parser("om")
    add_association(parser)
    assert parser.read([]) == {"max_pdu": None, "transfer_syntax": None, "user": None}
    assert parser.read(["--transfer-syntax", "ExplicitVRBigEndian"])["transfer_syntax"] in SYNTAXES
    with pytest.raises(UsageError, match="invalid choice"):
        parser.read(["--transfer-syntax", "JPEGBaseline8Bit"])
