"""Asking before something happens that cannot be taken back."""

from __future__ import annotations

import sys

import click

from openmodality.errors import UsageError

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


def confirmed(question: str, *, yes: bool) -> None:
    """Go on if a person says yes; raises :class:`UsageError` where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is there to answer: {question}", advice="say --yes to go on without being asked")
    click.confirm(question, abort=True, err=True)
