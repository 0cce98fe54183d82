"""The addresses of the console by its settings: the one that people type, and the names in Host that it accepts."""

from __future__ import annotations

import ipaddress
from typing import Final

from starlette.requests import Request

from openmodality.device.site.site import Site
from openmodality.device.site.site_file import ConsoleSettings

_EVERYWHERE: Final = ("0.0.0.0", "::")
_FORWARDED: Final = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")
_FORWARDED_PREFIX: Final = "x-forwarded"
_OURS: Final = ("127.0.0.1", "localhost", "::1")


def make_url(settings: ConsoleSettings, port: int | None = None) -> str:
    """The address of the console, without a slash at its end."""
    host = "127.0.0.1" if settings.host in _EVERYWHERE else settings.host
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.certificate else 'http'}://{shown}:{port or settings.port}"


def make_link_url(url: str, secret: str) -> str:
    """Where a password is chosen."""
    return f"{url}/setup/{secret}"


def is_this_machine(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_asked_from_here(request: Request) -> bool:
    """Whether a user of this machine asks. A proxy on this machine does not count, because it hides who asks."""
    address = request.client.host if request.client else ""
    names = (name.lower() for name in request.headers)
    is_forwarded = any(name in _FORWARDED or name.startswith(_FORWARDED_PREFIX) for name in names)
    return is_this_machine(address) and not is_forwarded


def list_hosts(site: Site) -> list[str]:
    """The names by which browsers may call the console."""
    settings = site.settings.console
    own = [] if settings.host in _EVERYWHERE else [settings.host]
    named = [site.settings.network.host_name] if site.settings.network.host_name else []
    return [*_OURS, *own, *named, *settings.allowed_hosts]
