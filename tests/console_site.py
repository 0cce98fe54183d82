"""A console before the virtual hospital, for tests: started once, used by many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Final

import httpx

from openmodality import Modality
from openmodality.console.security.accounts import Accounts, SessionLimits
from openmodality.console.server import ConsoleServer
from openmodality.hospital.hospital import Habits, Hospital
from tests import plain_http
from tests.acceptance.hospital_site import in_hospital

PASSWORD: Final = "correct horse battery"
_TOKEN: Final = 'name="form_token" value="'


@dataclass(frozen=True, slots=True)
class ConsolePlace:
    """A device with its console, and the hospital that it is in."""

    hospital: Hospital
    site: Path
    modality: Modality
    server: ConsoleServer
    clients: ExitStack

    @property
    def url(self) -> str:
        """Where the console is."""
        return self.server.url

    @property
    def accounts(self) -> Accounts:
        """Its users."""
        limits = SessionLimits.of(self.modality.site.settings.console)
        return Accounts(self.modality.database, limits, self.modality.audit.trail)

    def add_user(self, name: str, *roles: str) -> None:
        """A user who has chosen the password."""
        self.accounts.use_link(self.accounts.add_user(name, roles), PASSWORD)

    def log_in(self, name: str) -> Visitor:
        """A program that behaves as the browser of a user."""
        headers = {"origin": self.url, "accept": "text/html"}
        client = plain_http.open_client(base_url=self.url, headers=headers, timeout=20)
        visitor = Visitor(self.clients.enter_context(client))
        assert visitor.client.post("/login", data={"name": name, "password": PASSWORD}).status_code == 303
        return visitor


@dataclass(slots=True)
class Visitor:
    """A browser without a window."""

    client: httpx.Client
    _token: str = ""

    @property
    def token(self) -> str:
        """The token of the session, which all its forms have: read from a page once."""
        self._token = self._token or self.client.get("/account").text.partition(_TOKEN)[2].partition('"')[0]
        return self._token

    def get(self, path: str) -> httpx.Response:
        """A page."""
        return self.client.get(path)

    def post(self, path: str, **fields: str) -> httpx.Response:
        """A form, with the token of the session."""
        return self.client.post(path, data={"form_token": self.token, **fields})


@contextmanager
def console_in_hospital(
    folder: Path, profile: str = "mr", *, settings: str = "", tables: str = "", habits: Habits | None = None
) -> Iterator[ConsolePlace]:
    """A hospital, a device in it that serves, and its console on a free port.

    ``settings`` are those of [console], ``tables`` further ones of the site file.
    """
    with in_hospital(folder, profile, habits) as place:
        text = place.site.read_text(encoding="utf-8")
        text = text.replace("[console]\n", f"[console]\n{settings}\n")
        place.site.write_text(f"{text}\n{tables}", encoding="utf-8")
        with Modality(place.site) as modality:
            modality.serve()
            with ConsoleServer(modality, hospital=place.hospital) as server, ExitStack() as clients:
                yield ConsolePlace(place.hospital, place.site, modality, server, clients)


def read_page(modality: Modality, path: str) -> str:
    """A page of a device that runs without its console, as somebody sees it who may operate it."""
    with ConsoleServer(modality) as server, ExitStack() as clients:
        place = ConsolePlace(None, modality.site.path, modality, server, clients)  # type: ignore[arg-type]
        place.add_user("anna", "operator")
        return unescape(place.log_in("anna").get(path).text)
