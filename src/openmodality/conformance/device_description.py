"""The description of PS3.15 Annex H (Application Configuration Management Profiles): device, connections, AEs.

The names are those of the LDAP schema in PS3.15 H.1.3, so that a tool which knows a directory of devices can take them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from openmodality.conformance.model import ConformanceStatement, StatedApplicationEntity, StatedPresentationContext

LdapEntry = dict[str, Any]


def describe_configuration(statement: ConformanceStatement) -> LdapEntry:
    """The entry dicomDevice with those below it; values that are not known are left out."""
    device = statement.device
    return _drop_empty(
        {
            "objectClass": "dicomDevice",
            "dicomDeviceName": device.station_name or device.profile,
            "dicomDescription": device.description or device.title,
            "dicomManufacturer": device.manufacturer,
            "dicomManufacturerModelName": device.model,
            "dicomSoftwareVersion": list(device.software_versions),
            "dicomStationName": device.station_name,
            "dicomDeviceSerialNumber": device.serial_number,
            "dicomPrimaryDeviceType": list(device.modalities),
            "dicomInstitutionName": [device.institution_name] if device.institution_name else [],
            "dicomInstitutionAddress": [device.institution_address] if device.institution_address else [],
            "dicomInstitutionDepartmentName": [device.department] if device.department else [],
            "dicomInstalled": True,
            "dicomNetworkConnection": [_describe_connection(statement, each) for each in _list_listening(statement)],
            "dicomNetworkAE": [_describe_entity(statement, each) for each in statement.application_entities],
        }
    )


def _list_listening(statement: ConformanceStatement) -> list[StatedApplicationEntity]:
    return [entity for entity in statement.application_entities if entity.port is not None]


def _describe_connection(statement: ConformanceStatement, entity: StatedApplicationEntity) -> LdapEntry:
    return _drop_empty(
        {
            "objectClass": "dicomNetworkConnection",
            "cn": entity.role,
            "dicomPort": entity.port,
            "dicomTLSCipherSuite": _name_suites(statement) if entity.is_tls else [],
            "dicomInstalled": True,
        }
    )


def _name_suites(statement: ConformanceStatement) -> list[str]:
    """The suites that are used here by the names of their RFCs, as PS3.15 Table H.1-5 has them, where known."""
    standard = {each.name: each.standard_name for each in statement.security.suite_table}
    return [standard.get(name) or name for name in statement.security.cipher_suites]


def _describe_entity(statement: ConformanceStatement, entity: StatedApplicationEntity) -> LdapEntry:
    contexts = [each for each in statement.presentation_contexts if each.ae == entity.role and each.is_enabled]
    return _drop_empty(
        {
            "objectClass": "dicomNetworkAE",
            "dicomAETitle": entity.ae_title,
            "dicomDescription": entity.role,
            "dicomAssociationInitiator": any(each.direction == "proposed" for each in contexts),
            "dicomAssociationAcceptor": entity.port is not None,
            "dicomNetworkConnectionReference": [] if entity.port is None else [entity.role],
            "dicomSupportedCharacterSet": [each.term for each in statement.character_sets.supported if each.term],
            "dicomInstalled": bool(contexts),
            "dicomTransferCapability": _list_capabilities(contexts),
        }
    )


def _list_capabilities(contexts: Sequence[StatedPresentationContext]) -> list[LdapEntry]:
    """One for each SOP class and role, with the transfer syntaxes of all its contexts."""
    syntaxes: dict[tuple[str, str, str], dict[str, None]] = {}
    for each in contexts:
        key = (each.sop_class, each.sop_class_uid, each.role)
        syntaxes.setdefault(key, {}).update(dict.fromkeys(each.transfer_syntaxes))
    return [
        {
            "objectClass": "dicomTransferCapability",
            "cn": f"{name} {role}",
            "dicomSOPClass": uid,
            "dicomTransferRole": role,
            "dicomTransferSyntax": list(found),
        }
        for (name, uid, role), found in syntaxes.items()
    ]


def _drop_empty(entry: LdapEntry) -> LdapEntry:
    return {name: value for name, value in entry.items() if value not in ("", [], None)}
