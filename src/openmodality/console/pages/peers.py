"""Peers: who is on the network, what each is for, and whether it is there (MR-11.2-01, MR-11.2-02, RF-4.1.2.8-01)."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from openmodality.console.context import ConsoleContext
from openmodality.console.memory import Contact, PageNote
from openmodality.console.pages.shell import Page, render_page, render_part
from openmodality.console.security.access import At, Checker, SentForm, Viewer
from openmodality.dimse.status import describe
from openmodality.errors import OpenModalityError
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class PeerRow:
    """A peer as the site file has it, and what it said last."""

    name: str
    alias: str
    description: str
    ae_title: str
    address: str
    is_secure: bool
    services: Sequence[str]
    contact: Contact | None


router = APIRouter()


@router.get("/peers")
def _show_peers(request: Request, viewer: Viewer, context: At) -> Response:
    page = Page("peers.html", "Peers", "peers")
    own = list(context.modality.site.application_entities.values())
    facts = list_device_facts(context)
    return render_page(request, context, viewer, page, peers=list_peers(context), own=own, device_facts=facts)


@router.post("/peers/{name}/echo")
def _echo_peer(request: Request, who: Checker, form: SentForm, context: At, name: str) -> Response:
    contact = ask_peer(context, name)
    if request.headers.get("hx-request"):
        part = render_part(request, context, who, "part_peers.html", peers=list_peers(context))
        part.headers["hx-trigger"] = "om-contact"
        return part
    note = PageNote("done" if contact.is_success else "failed", f"{name}: {contact.said}", contact.advice)
    context.memory.notes.add(who.session, note)
    return RedirectResponse("/peers", 303)


def list_device_facts(context: ConsoleContext) -> list[tuple[str, str]]:
    """How this device is called and reached by others (MR-11.2-01); what is not set is left out."""
    device, network = context.modality.site.settings.device, context.modality.site.settings.network
    facts = (
        ("Alias", device.alias),
        ("Description", device.description),
        ("Host name", network.host_name),
        ("Listens on IP address", network.bind_address),
    )
    return [(label, value) for label, value in facts if value]


def list_peers(context: ConsoleContext) -> list[PeerRow]:
    """All peers, in the order of the site file."""
    return [
        PeerRow(
            name=peer.name,
            alias=peer.settings.alias,
            description=peer.settings.description,
            ae_title=peer.ae_title,
            address=peer.address,
            is_secure=peer.tls or peer.address.startswith("https:"),
            services=sorted(service.replace("_", " ") for service in peer.services),
            contact=context.memory.find_contact(peer.name),
        )
        for peer in context.modality.site.peers.values()
    ]


def ask_peer(context: ConsoleContext, name: str) -> Contact:
    """Ask a peer whether it is there (C-ECHO), and remember what it said."""
    context.modality.site.peer(name)
    at = context.modality.clock()
    try:
        answer = context.modality.verify(name)
    except OpenModalityError as error:
        contact = Contact(at, is_success=False, said=error.message, advice=error.advice)
    else:
        within = f"in {answer.duration_s * 1000:.0f} ms"
        said = f"answered {within}" if answer.is_success else describe(answer.status)
        said = f"{answer.said} {within}" if answer.said else said
        contact = Contact(at, answer.is_success, said)
    context.memory.note_contact(name, contact)
    return contact
