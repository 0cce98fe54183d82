"""Writes an image to a disc by a program of the system, and reads the disc back."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from openmodality.errors import ConfigurationError, StoreError

_PLACES: Final = ("{device}", "{image}")
_COMPARE_BYTES: Final = 1024 * 1024
_TIMEOUT_S: Final = 4 * 3600.0
_WORDS: Final = 200
_LOOK_S: Final = 0.1
_GRACE_S: Final = 0.5
"""How long a program may take to end before it is killed."""


def make_burn_command(template: str, image: Path, device: str) -> list[str]:
    """The words of the command; ``{image}`` and ``{device}`` stand in its words.

    Raises :class:`ConfigurationError` where one of them is missing or the command cannot be split into words.
    """
    try:
        words = shlex.split(template)
    except ValueError as error:
        raise ConfigurationError(f"the command for burning, {template!r}, cannot be read: {error}") from error
    if not words or any(place not in template for place in _PLACES):
        raise ConfigurationError(f"the command for burning, {template!r}, needs {' and '.join(_PLACES)}")
    return [word.replace("{device}", device).replace("{image}", str(image)) for word in words]


def burn_image(template: str, image: Path, device: str, check: Callable[[], object] = lambda: None) -> None:
    """Write an image to a disc and compare what is there, byte for byte.

    ``check`` is called again and again; what it raises ends the program, whose disc may be half written then. Raises
    :class:`ConfigurationError` where the program is missing and :class:`StoreError` where it fails or the disc holds
    something else.
    """
    command = make_burn_command(template, image, device)
    try:
        # a session of its own: Ctrl-C on the terminal is ours, which ends it by ``check``
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as program:
            said = _wait(program, check)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{command[0]} is not installed", advice="install it, or name another command under [media] burn_command"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"{command[0]} did not write the disc: {type(error).__name__}") from error
    if program.returncode:
        last = (said.decode("utf-8", "replace").strip().splitlines() or ["no word"])[-1]
        raise StoreError(f"{command[0]} ended with status {program.returncode}: {last[:_WORDS]}")
    verify_disc(image, device, check)


def _wait(program: subprocess.Popen[bytes], check: Callable[[], object]) -> bytes:
    """Wait until a program has ended, or end it; what it said on stderr."""
    ends_at = time.monotonic() + _TIMEOUT_S
    try:
        while True:
            check()
            try:
                return program.communicate(timeout=_LOOK_S)[1]
            except subprocess.TimeoutExpired:
                if time.monotonic() > ends_at:
                    raise
    except BaseException:
        _end(program)
        raise


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program with all that it has started, which is in its session."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(OSError):
            os.killpg(program.pid, signal_number)
        with suppress(subprocess.TimeoutExpired):
            program.communicate(timeout=_GRACE_S)
            return


def verify_disc(image: Path, device: str, check: Callable[[], object] = lambda: None) -> None:
    """Compare a disc with the image that was written to it. Raises :class:`StoreError` where they differ."""
    try:
        with image.open("rb") as expected, Path(device).open("rb") as found:
            place = 0
            while part := expected.read(_COMPARE_BYTES):
                check()
                if found.read(len(part)) != part:
                    raise StoreError(f"the disc in {device} differs from the image within 1 MB of byte {place}")
                place += len(part)
    except OSError as error:
        raise StoreError(f"the disc in {device} cannot be read back: {error.strerror}") from error
