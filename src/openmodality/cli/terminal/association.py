"""Options for what an association of a command proposes: as storescu and dcmsend have them."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from typing import TYPE_CHECKING, Final

from openmodality.cli.terminal.values import not_empty, parse_integer
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from openmodality.upper_layer.user_information import UserIdentityRQ

if TYPE_CHECKING:
    from openmodality.cli.terminal.arguments import Parser

SYNTAXES: Final = {
    "ImplicitVRLittleEndian": IMPLICIT_VR_LITTLE_ENDIAN,
    "ExplicitVRLittleEndian": EXPLICIT_VR_LITTLE_ENDIAN,
    "ExplicitVRBigEndian": EXPLICIT_VR_BIG_ENDIAN,
}
PASSWORD: Final = "OPENMODALITY_PASSWORD"
"""The environment variable with the password of the user that ``--user`` names."""
_USERNAME, _USERNAME_AND_PASSWORD = 1, 2
"""PS3.7 D.3.3.7.1."""


def add_association(parser: Parser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--max-pdu",
        metavar="INTEGER",
        type=parse_integer(0),
        help="Longest PDU to take from PEER, in bytes, from 4096; 0 for any.  [default: the site's, else 262144]",
    )
    parser.add_argument(
        "--transfer-syntax",
        choices=list(SYNTAXES),
        help="Propose only this one for uncompressed files.  [default: what fits the files and PEER]",
    )
    parser.add_argument(
        "--user",
        metavar="NAME",
        type=parse_user,
        help=f"Tell PEER this user (User Identity); ${PASSWORD} is the password, where it is set.",
    )


def parse_user(text: str) -> UserIdentityRQ:
    """A user name, with the password of the environment: on the command line others of this machine would see it."""
    name, password = not_empty(text).encode(), os.environ.get(PASSWORD, "").encode()
    if max(len(name), len(password)) > 0xFFFF:
        raise ArgumentTypeError("it is too long")
    if password:
        return UserIdentityRQ(_USERNAME_AND_PASSWORD, name, password)
    return UserIdentityRQ(_USERNAME, name)
