"""Facts of the DICOM upper layer: PDU and item types, results, sources and reasons.

Sources: PS3.8 9.3 (PDU structures), PS3.7 Annex D.3 (user information sub-items), PS3.7 A.2.1 (application context
name).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from openmodality.standard.value_lengths import MAX_CHARACTERS

APPLICATION_CONTEXT_NAME = "1.2.840.10008.3.1.1.1"
"""DICOM Application Context Name, the only one there is (PS3.7 A.2.1)."""

PROTOCOL_VERSION = 0x0001
"""Bit 0 of Protocol-version stands for version 1; a receiver tests only this bit (PS3.8 9.3.2)."""

AE_TITLE_LENGTH = MAX_CHARACTERS["AE"]
"""Titles in A-ASSOCIATE PDUs are padded with spaces to this length (PS3.8 9.3.2)."""

MAX_PRESENTATION_CONTEXTS = 128
"""Presentation context ids are the odd integers from 1 to 255 (PS3.8 9.3.2.2)."""

# PS3.8 9.3.1, Table 9-11 to 9-26: PDU-type
PDU_A_ASSOCIATE_RQ = 0x01
PDU_A_ASSOCIATE_AC = 0x02
PDU_A_ASSOCIATE_RJ = 0x03
PDU_P_DATA_TF = 0x04
PDU_A_RELEASE_RQ = 0x05
PDU_A_RELEASE_RP = 0x06
PDU_A_ABORT = 0x07

PDU_TYPES: Mapping[int, str] = {
    PDU_A_ASSOCIATE_RQ: "A-ASSOCIATE-RQ",
    PDU_A_ASSOCIATE_AC: "A-ASSOCIATE-AC",
    PDU_A_ASSOCIATE_RJ: "A-ASSOCIATE-RJ",
    PDU_P_DATA_TF: "P-DATA-TF",
    PDU_A_RELEASE_RQ: "A-RELEASE-RQ",
    PDU_A_RELEASE_RP: "A-RELEASE-RP",
    PDU_A_ABORT: "A-ABORT",
}

# PS3.8 9.3.2 and 9.3.3, PS3.7 D.3.3: Item-type
ITEM_APPLICATION_CONTEXT = 0x10
ITEM_PRESENTATION_CONTEXT_RQ = 0x20
ITEM_PRESENTATION_CONTEXT_AC = 0x21
ITEM_ABSTRACT_SYNTAX = 0x30
ITEM_TRANSFER_SYNTAX = 0x40
ITEM_USER_INFORMATION = 0x50
ITEM_MAXIMUM_LENGTH = 0x51
ITEM_IMPLEMENTATION_CLASS_UID = 0x52
ITEM_ASYNCHRONOUS_OPERATIONS_WINDOW = 0x53
ITEM_ROLE_SELECTION = 0x54
ITEM_IMPLEMENTATION_VERSION_NAME = 0x55
ITEM_SOP_CLASS_EXTENDED_NEGOTIATION = 0x56
ITEM_SOP_CLASS_COMMON_EXTENDED_NEGOTIATION = 0x57
ITEM_USER_IDENTITY_RQ = 0x58
ITEM_USER_IDENTITY_AC = 0x59

ITEM_TYPES: Mapping[int, str] = {
    ITEM_APPLICATION_CONTEXT: "application context item",
    ITEM_PRESENTATION_CONTEXT_RQ: "presentation context item",
    ITEM_PRESENTATION_CONTEXT_AC: "presentation context item",
    ITEM_ABSTRACT_SYNTAX: "abstract syntax sub-item",
    ITEM_TRANSFER_SYNTAX: "transfer syntax sub-item",
    ITEM_USER_INFORMATION: "user information item",
    ITEM_MAXIMUM_LENGTH: "maximum length sub-item",
    ITEM_IMPLEMENTATION_CLASS_UID: "implementation class UID sub-item",
    ITEM_ASYNCHRONOUS_OPERATIONS_WINDOW: "asynchronous operations window sub-item",
    ITEM_ROLE_SELECTION: "SCP/SCU role selection sub-item",
    ITEM_IMPLEMENTATION_VERSION_NAME: "implementation version name sub-item",
    ITEM_SOP_CLASS_EXTENDED_NEGOTIATION: "SOP class extended negotiation sub-item",
    ITEM_SOP_CLASS_COMMON_EXTENDED_NEGOTIATION: "SOP class common extended negotiation sub-item",
    ITEM_USER_IDENTITY_RQ: "user identity sub-item",
    ITEM_USER_IDENTITY_AC: "user identity sub-item",
}

# PS3.8 9.3.3.2, Table 9-18: Result/Reason of a presentation context
CONTEXT_ACCEPTANCE = 0
CONTEXT_USER_REJECTION = 1
CONTEXT_NO_REASON = 2
CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED = 4

CONTEXT_RESULTS: Mapping[int, str] = {
    CONTEXT_ACCEPTANCE: "acceptance",
    CONTEXT_USER_REJECTION: "user-rejection",
    CONTEXT_NO_REASON: "no-reason (provider rejection)",
    CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED: "abstract-syntax-not-supported (provider rejection)",
    CONTEXT_TRANSFER_SYNTAXES_NOT_SUPPORTED: "transfer-syntaxes-not-supported (provider rejection)",
}

# PS3.8 9.3.4, Table 9-21: A-ASSOCIATE-RJ
REJECTED_PERMANENT = 1
REJECTED_TRANSIENT = 2

REJECT_RESULTS: Mapping[int, str] = {
    REJECTED_PERMANENT: "rejected-permanent",
    REJECTED_TRANSIENT: "rejected-transient",
}

Situation: TypeAlias = Literal[
    "limit_reached", "busy", "application_context", "called_ae_title", "calling_ae_title", "unparsable"
]
"""When an acceptor rejects an association; how it does is a table (R/F Table 4.2-18)."""

REJECT_BY_USER = 1
REJECT_BY_ACSE = 2
REJECT_BY_PRESENTATION = 3

REJECT_SOURCES: Mapping[int, str] = {
    REJECT_BY_USER: "DICOM UL service-user",
    REJECT_BY_ACSE: "DICOM UL service-provider (ACSE related function)",
    REJECT_BY_PRESENTATION: "DICOM UL service-provider (Presentation related function)",
}

REJECT_REASONS: Mapping[tuple[int, int], str] = {
    (REJECT_BY_USER, 1): "no-reason-given",
    (REJECT_BY_USER, 2): "application-context-name-not-supported",
    (REJECT_BY_USER, 3): "calling-AE-title-not-recognized",
    (REJECT_BY_USER, 7): "called-AE-title-not-recognized",
    (REJECT_BY_ACSE, 1): "no-reason-given",
    (REJECT_BY_ACSE, 2): "protocol-version-not-supported",
    (REJECT_BY_PRESENTATION, 1): "temporary-congestion",
    (REJECT_BY_PRESENTATION, 2): "local-limit-exceeded",
}
"""Meaning of Reason/Diag. by (Source, Reason/Diag.); what is not here is reserved."""

# PS3.8 9.3.8, Table 9-26: A-ABORT
ABORT_BY_USER = 0
ABORT_BY_PROVIDER = 2

ABORT_SOURCES: Mapping[int, str] = {
    ABORT_BY_USER: "DICOM UL service-user",
    ABORT_BY_PROVIDER: "DICOM UL service-provider",
}

ABORT_REASON_NOT_SPECIFIED = 0
ABORT_UNRECOGNIZED_PDU = 1
ABORT_UNEXPECTED_PDU = 2
ABORT_UNRECOGNIZED_PDU_PARAMETER = 4
ABORT_UNEXPECTED_PDU_PARAMETER = 5
ABORT_INVALID_PDU_PARAMETER_VALUE = 6

ABORT_REASONS: Mapping[int, str] = {
    ABORT_REASON_NOT_SPECIFIED: "reason-not-specified",
    ABORT_UNRECOGNIZED_PDU: "unrecognized-PDU",
    ABORT_UNEXPECTED_PDU: "unexpected-PDU",
    ABORT_UNRECOGNIZED_PDU_PARAMETER: "unrecognized-PDU-parameter",
    ABORT_UNEXPECTED_PDU_PARAMETER: "unexpected-PDU-parameter",
    ABORT_INVALID_PDU_PARAMETER_VALUE: "invalid-PDU-parameter-value",
}
"""Meaning of Reason/Diag. when the source is the service-provider; a service-user's reason is not significant."""

# PS3.7 D.3.3.7, Table D.3-14: User-Identity-Type
USER_IDENTITY_TYPES: Mapping[int, str] = {
    1: "username",
    2: "username and passcode",
    3: "Kerberos service ticket",
    4: "SAML assertion",
    5: "JSON Web Token",
}
