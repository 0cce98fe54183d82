"""Requests over plain HTTP: httpx reads the authorities of the world for each of them, which takes 25 ms, or 50.

For one request ``get``, ``post`` and ``stream``, for several ``open_client``: as httpx has them.
"""

from __future__ import annotations

import ssl
from functools import partial
from typing import Final

import httpx

NO_AUTHORITIES: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""It trusts nobody, so that nothing under TLS can be reached with it."""

get: Final = partial(httpx.get, verify=NO_AUTHORITIES)
post: Final = partial(httpx.post, verify=NO_AUTHORITIES)
stream: Final = partial(httpx.stream, verify=NO_AUTHORITIES)
open_client: Final = partial(httpx.Client, verify=NO_AUTHORITIES)
