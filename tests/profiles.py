"""The profiles that come with the device, each loaded once for all tests: a frozen value that takes a while to load."""

from __future__ import annotations

import functools

from openmodality.device.profile.loader import load_profile
from openmodality.device.profile.profile import Profile


@functools.cache
def shipped_profile(name: str) -> Profile:
    """The profile ``mr`` or ``rf``."""
    return load_profile(name)
