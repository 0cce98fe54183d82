"""What the tests of the upper layer share: two sides that talk to each other in memory."""

from __future__ import annotations

from openmodality.upper_layer.items import PresentationContextAC, PresentationContextRQ
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ, PDU, decode
from openmodality.upper_layer.primitives import (
    AssociateAccept,
    AssociateConfirm,
    AssociateIndication,
    AssociateRequest,
    Indication,
    PresentationDataValue,
    Role,
)
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.user_information import UserInformation

IMPLICIT = "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"
LIMIT = 16384

RQ = A_ASSOCIATE_RQ(
    called_ae_title="ANY-SCP",
    calling_ae_title="ECHOSCU",
    presentation_contexts=(
        PresentationContextRQ(1, VERIFICATION, (IMPLICIT,)),
        PresentationContextRQ(3, "1.2.840.10008.5.1.4.1.1.4", (IMPLICIT,)),
    ),
    user_information=UserInformation(maximum_length=LIMIT, implementation_class_uid="1.2.3"),
)
AC = A_ASSOCIATE_AC(
    called_ae_title="ANY-SCP",
    calling_ae_title="ECHOSCU",
    presentation_contexts=(PresentationContextAC(1, 0, IMPLICIT), PresentationContextAC(3, 3, IMPLICIT)),
    user_information=UserInformation(maximum_length=32768, implementation_class_uid="1.2.4"),
)


def events(provider: Provider, data: bytes | bytearray = b"") -> list[Indication]:
    """Everything that ``provider`` says after ``data``. Slices are copied, so that they outlive the buffer."""
    if data:
        provider.receive_data(data)
    found: list[Indication] = []
    while (event := provider.next_event()) is not None:
        if isinstance(event, PresentationDataValue):
            event = PresentationDataValue(
                event.context_id, event.is_command, event.is_last, memoryview(bytes(event.data))
            )
        found.append(event)
    return found


def sent(provider: Provider) -> list[PDU]:
    """The PDUs that ``provider`` wants to be written."""
    data, found = provider.data_to_send(), []
    while data:
        length = int.from_bytes(data[2:6], "big")
        found.append(decode(data[0], data[6 : 6 + length]))
        data = data[6 + length :]
    return found


def requestor(*, connected: bool = True) -> Provider:
    """In Sta5, or Sta4 if not connected."""
    provider = Provider(Role.REQUESTOR, max_pdu_length=LIMIT)
    provider.send(AssociateRequest(RQ))
    if connected:
        provider.transport_connected()
    return provider


def acceptor() -> Provider:
    """In Sta2."""
    provider = Provider(Role.ACCEPTOR, max_pdu_length=LIMIT)
    provider.transport_connected()
    return provider


def established(role: Role) -> Provider:
    """In Sta6."""
    if role is Role.REQUESTOR:
        provider = requestor()
        assert events(provider, AC.encode()) == [AssociateConfirm(AC)]
    else:
        provider = acceptor()
        assert events(provider, RQ.encode()) == [AssociateIndication(RQ)]
        provider.send(AssociateAccept(AC))
    provider.data_to_send()
    return provider
