"""The part of a statement about associations: who the device is, its AEs, what they propose and accept, security."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.uid import UID

from openmodality.activities.connection import choose_syntaxes
from openmodality.activities.media_profiles import list_media_profiles
from openmodality.activities.tls import find_unusable_suites, list_suites
from openmodality.conformance import model
from openmodality.conformance.model_security import StatedCipherSuite, StatedSecurity
from openmodality.device.profile.profile import PresentationContextEntry
from openmodality.device.site.association_limits import count_accepted, count_turns, find_identity
from openmodality.device.site.site import Peer, Site
from openmodality.network.cipher_suites import describe_unusable
from openmodality.standard.query_retrieve import GET_BY_MOVE
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES
from openmodality.standard.upper_layer import APPLICATION_CONTEXT_NAME

C_GET: Final = "c_get"
"""The extension of a site file by which the device has C-GET."""

_SECURE_PROFILE: Final = "Secure Transport Connection Profile"
_BASIC_TLS: Final = "Basic TLS"
"""The retired profile of PS3.15 B.1; its name is that of a group of cipher suites."""
MEDIA_ROLES: Final = {"create": "FSC", "update": "FSU", "query": "FSR", "retrieve": "FSR"}
"""The role of PS3.10 by what the device does with a medium."""


def describe_device(site: Site) -> model.StatedDevice:
    """Who the device is: its profile, its equipment, its implementation."""
    profile, equipment = site.profile, site.equipment
    class_uid, version_name = find_identity(site)
    return model.StatedDevice(
        profile=profile.name,
        title=profile.title,
        follows=profile.statement,
        application=profile.application,
        modalities=profile.modalities,
        manufacturer=equipment.manufacturer,
        model=equipment.model,
        serial_number=equipment.serial_number,
        software_versions=equipment.software_versions,
        station_name=equipment.station_name,
        institution_name=equipment.institution_name,
        institution_address=equipment.institution_address,
        department=equipment.department,
        description=site.settings.device.description,
        implementation_class_uid=class_uid,
        implementation_version_name=version_name,
    )


def list_entities(site: Site) -> Iterator[model.StatedApplicationEntity]:
    """The local AEs in the order of the profile."""
    for entry in site.profile.application_entities:
        entity = site.application_entities[entry.role]
        contexts = [each for each in site.profile.presentation_contexts if each.ae == entry.role]
        proposes = any(not each.accepted for each in contexts)
        yield model.StatedApplicationEntity(
            role=entity.role,
            ae_title=entity.ae_title,
            port=entity.port,
            statement_port=entry.statement_port,
            is_tls=entity.tls,
            services=tuple(dict.fromkeys(f"{each.service} {each.role}" for each in contexts)),
            most_initiated=count_turns(site, entity.role) if proposes else None,
            most_accepted=None if entity.port is None else count_accepted(site, entity.role),
        )


def list_remotes(site: Site) -> Iterator[model.StatedRemoteEntity]:
    """The peers of the site file."""
    for peer in site.peers.values():
        yield model.StatedRemoteEntity(
            peer.name, peer.ae_title, peer.host, peer.port, peer.tls,
            tuple(sorted(peer.services)), tuple(sorted(peer.incoming)), tuple(_list_peer_contexts(site, peer)),
        )  # fmt: skip


def _list_peer_contexts(site: Site, peer: Peer) -> Iterator[model.StatedPeerContext]:
    """What is proposed to a peer and accepted from it, as its table of the site file has it."""
    if peer.is_web:
        return
    for entry in site.profile.presentation_contexts:
        is_used = peer.may_ask(entry.service) if entry.accepted else peer.offers(entry.service)
        if is_used and site.is_enabled(entry) and peer.negotiates(entry):
            yield model.StatedPeerContext(
                entry.ae,
                entry.service,
                "accepted" if entry.accepted else "proposed",
                entry.sop_class_uid.name,
                str(entry.sop_class_uid),
                _order_syntaxes(site, entry) if entry.accepted else choose_syntaxes(entry, peer),
            )


def list_stated_contexts(site: Site) -> Iterator[model.StatedPresentationContext]:
    """What the AEs propose and accept, with C-GET where the site has it."""
    for entry in site.profile.presentation_contexts:
        yield _describe_context(site, entry)
    if C_GET in site.settings.extensions:
        for entry in site.profile.presentation_contexts:
            if entry.sop_class_uid in GET_BY_MOVE:
                get = UID(GET_BY_MOVE[entry.sop_class_uid])
                yield _describe_context(site, entry, get, f"extensions.{C_GET}")


def _describe_context(
    site: Site, entry: PresentationContextEntry, sop_class: UID | None = None, beyond: str = ""
) -> model.StatedPresentationContext:
    uid = sop_class or entry.sop_class_uid
    return model.StatedPresentationContext(
        ae=entry.ae,
        service=entry.service,
        direction="accepted" if entry.accepted else "proposed",
        role=entry.role,
        sop_class=uid.name,
        sop_class_uid=str(uid),
        transfer_syntaxes=_order_syntaxes(site, entry),
        negotiates_role=entry.role_selection,
        enabled_by=entry.enabled_by,
        is_enabled=site.is_enabled(entry),
        goes_beyond=beyond,
    )


def _order_syntaxes(site: Site, entry: PresentationContextEntry) -> tuple[str, ...]:
    """The transfer syntaxes, the preferred ones first: of all that may be proposed, or in the order of the acceptor."""
    if entry.accepted:
        first: tuple[UID, ...] = site.acceptor_transfer_syntaxes
    else:
        key = f"{entry.service}.transfer_syntaxes"
        first = site.parameters.uids(key) if key in site.parameters else ()
    allowed = list(map(str, entry.transfer_syntaxes))
    chosen = [str(uid) for uid in first if str(uid) in allowed]
    return tuple(dict.fromkeys((*chosen, *allowed)))


def list_sop_classes(
    site: Site, contexts: tuple[model.StatedPresentationContext, ...]
) -> Iterator[model.StatedSopClass]:
    """Each SOP class once, with the roles that it has here and the media that it may be on."""
    made = {str(item.sop_class_uid) for item in site.profile.objects}
    on_media: dict[str, set[str]] = {}
    for profile in list_media_profiles(site).values():
        for uid in profile.sop_classes:
            on_media.setdefault(uid, set()).update(MEDIA_ROLES[each] for each in profile.activities)
    by_uid: dict[str, list[model.StatedPresentationContext]] = {}
    for context in contexts:
        if context.is_enabled:
            by_uid.setdefault(context.sop_class_uid, []).append(context)
    for uid in dict.fromkeys((*by_uid, *on_media)):
        its = by_uid.get(uid, [])
        yield model.StatedSopClass(
            uid=uid,
            name=UID(uid).name,
            service=its[0].service if its else "media",
            scu=any(each.role == "SCU" for each in its),
            scp=any(each.role == "SCP" for each in its),
            media=tuple(sorted(on_media.get(uid, ()))),
            creates=uid in made,
        )


def list_transfer_syntaxes(
    contexts: tuple[model.StatedPresentationContext, ...], media: tuple[model.StatedMediaUse, ...]
) -> Iterator[model.StatedTransferSyntax]:
    """Each transfer syntax once, with where it is used."""
    enabled = [each for each in contexts if each.is_enabled]
    on_media = {uid for use in media if use.is_enabled for uid in (*use.reads, *use.writes)}
    for uid, syntax in TRANSFER_SYNTAXES.items():
        proposed = any(uid in each.transfer_syntaxes for each in enabled if each.direction == "proposed")
        accepted = any(uid in each.transfer_syntaxes for each in enabled if each.direction == "accepted")
        if proposed or accepted or uid in on_media:
            yield model.StatedTransferSyntax(uid, syntax.name, proposed, accepted, uid in on_media)


def describe_association(site: Site) -> model.StatedAssociationPolicy:
    """What holds for every association of the device."""
    general = {
        name: site.parameters.integer(f"general.{name}")
        for name in (
            "max_pdu_receive_bytes", "max_pdu_send_bytes", "association_timeout_s", "release_timeout_s",
            "connect_timeout_s", "dimse_timeout_s", "network_timeout_s",
        )
    }  # fmt: skip
    negotiates_roles = any(each.role_selection for each in site.profile.presentation_contexts)
    return model.StatedAssociationPolicy(
        application_context=APPLICATION_CONTEXT_NAME,
        operations_at_once=1,  # no device proposes or takes a window (ADR 6)
        extended_negotiation=("SCP/SCU role selection",) if negotiates_roles else (),
        **general,
    )


def list_media(site: Site) -> Iterator[model.StatedMediaUse]:
    """What the device does under each application profile, line by line of the profile's table."""
    there = list_media_profiles(site)
    readable = tuple(map(str, site.acceptor_transfer_syntaxes))
    for use in site.profile.media:
        is_enabled = use.profile in there and (not use.enabled_by or site.parameters.boolean(use.enabled_by))
        for activity in use.activities:
            is_reading = MEDIA_ROLES[activity] == "FSR"
            yield model.StatedMediaUse(
                profile=use.profile,
                activity=activity,
                role=MEDIA_ROLES[activity],
                capacity_mb=use.capacity_mb,
                sop_classes=tuple(map(str, use.sop_classes)),
                reads=readable if is_reading else (),
                writes=() if is_reading else (EXPLICIT_VR_LITTLE_ENDIAN,),
                is_enabled=is_enabled,
            )


def describe_security(site: Site) -> StatedSecurity:
    """TLS as the site file says it (PS3.15 B.9 to B.12)."""
    tls = site.settings.tls
    uses = (*(each.tls for each in site.application_entities.values()), *(each.tls for each in site.peers.values()))
    versions = ("TLS 1.2", "TLS 1.3")
    unusable = find_unusable_suites(site) if any(uses) else {}  # without TLS a statement is the same on each machine
    passed_over = {name for names in unusable.values() for name in names}
    used = tuple(name for name in list_suites(site) if name not in passed_over)
    return StatedSecurity(
        is_enabled=any(uses),
        profile=f"BCP 195 RFC 8996, 9325 TLS {_SECURE_PROFILE}",
        legacy_profiles=(f"{_BASIC_TLS} {_SECURE_PROFILE}",) if _has_basic_tls(site) else (),
        versions=("TLS 1.0", "TLS 1.1", *versions) if tls.allow_legacy_tls else versions,
        cipher_suites=used,
        asks_requestor_certificate=tls.require_client_certificate,
        certificate_format="PEM",
        services=tuple(dict.fromkeys(each.service for each in site.profile.presentation_contexts)),
        allows_legacy=tls.allow_legacy_tls,
        suite_table=tuple(
            StatedCipherSuite(order, each.name, each.standard_name, each.group, each.is_legacy, each.name in used)
            for order, each in enumerate(site.profile.cipher_suites, 1)
        ),
        passed_over=tuple(describe_unusable({reason: names}) for reason, names in unusable.items()),
    )


def _has_basic_tls(site: Site) -> bool:
    return any(each.group == _BASIC_TLS for each in site.profile.cipher_suites)
