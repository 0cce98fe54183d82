"""Real exchanges to start from: our own SCUs talk to a live acceptor through a relay that keeps both directions."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from pydicom import Dataset

from openmodality.dimse.channel import read_all
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import encode_data_set
from openmodality.dimse.request_response import await_responses
from openmodality.encoding.deflate import deflate
from openmodality.encoding.part10 import encode_file_head
from openmodality.encoding.transcode import transcode
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.services.storage import InstanceIdentity, store
from openmodality.services.verification import echo
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from openmodality.upper_layer.negotiation import ContextProposal, RequestOptions
from openmodality.upper_layer.user_information import (
    AsynchronousOperationsWindow,
    SOPClassExtendedNegotiation,
    UserIdentityRQ,
)

MR: Final = "1.2.840.10008.5.1.4.1.1.4"
INSTANCE: Final = "1.2.826.0.1.3680043.8.498.1"
JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
STORED_SYNTAXES: Final = (
    IMPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    JPEG_BASELINE,
)
HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What requestor and acceptor said, and the transfer syntaxes of the accepted contexts by their ids."""

    requestor: bytes
    acceptor: bytes
    syntaxes: dict[int, str]


def record(port: int) -> list[Recorded]:
    """Exchanges with the acceptor that listens on ``port``."""
    talks: tuple[tuple[Sequence[ContextProposal], RequestOptions, Callable[[Association], object]], ...] = (
        (_ECHO, RequestOptions(), echo),
        (_MANY, _OPTIONS, echo),
        (_ECHO, RequestOptions(), Association.abort),
        *((_storage(syntax), RequestOptions(), _stores(1)) for syntax in STORED_SYNTAXES),
        (_MANY, _OPTIONS, _stores(3)),
        (_storage(IMPLICIT_VR_LITTLE_ENDIAN), RequestOptions(), _finds),
    )
    return [_record(port, proposals, options, talk) for proposals, options, talk in talks]


def instance(transfer_syntax: str) -> bytes:
    """A small MR image with nested sequences, private elements, and empty and long values."""
    if transfer_syntax == JPEG_BASELINE:
        head = encode_data_set(_image(), EXPLICIT_VR_LITTLE_ENDIAN)
        fragments = b"".join(_item(bytes(size)) for size in (0, 30, 62))
        return head + b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff" + fragments + b"\xfe\xff\xdd\xe0\0\0\0\0"
    image = _image()
    image.add_new(0x7FE00010, "OW", bytes(range(256)) * 2)
    if transfer_syntax == IMPLICIT_VR_LITTLE_ENDIAN:
        return encode_data_set(image, transfer_syntax)
    plain = encode_data_set(image, EXPLICIT_VR_LITTLE_ENDIAN)
    if transfer_syntax == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        return b"".join(deflate([plain]))
    return b"".join(transcode([plain], EXPLICIT_VR_LITTLE_ENDIAN, transfer_syntax))


def part10(transfer_syntax: str) -> bytes:
    """The image as a file."""
    head = encode_file_head(MR, INSTANCE, transfer_syntax, "1.2.3.4", "VERSION_1", "SENDER")
    return head + instance(transfer_syntax)


def _item(value: bytes) -> bytes:
    return b"\xfe\xff\0\xe0" + len(value).to_bytes(4, "little") + value


def _image() -> Dataset:
    image = Dataset()
    for tag, vr, value in (
        (0x00080005, "CS", "ISO_IR 100"), (0x00080008, "CS", ["ORIGINAL", "PRIMARY"]), (0x00080016, "UI", MR),
        (0x00080018, "UI", INSTANCE), (0x00080020, "DA", "20261122"), (0x00080050, "SH", ""),
        (0x00090010, "LO", "SOMEBODY"), (0x00091001, "UN", b"\1\2\3\4"), (0x00100010, "PN", "Doe^Jane"),
        (0x00180050, "DS", "5.0"), (0x00280103, "US", 1), (0x00280106, "SS", -5), (0x00281201, "OW", b"\0\1\2\3"),
    ):  # fmt: skip
        image.add_new(tag, vr, value)
    for depth in (1, 3):
        image.add_new(0x00081140 if depth == 1 else 0x00400275, "SQ", [_nested(depth), _nested(depth - 1), Dataset()])
    image[0x00400275].is_undefined_length = True
    return image


def _nested(depth: int) -> Dataset:
    item = Dataset()
    item.add_new(0x00081150, "UI", MR)
    item.add_new(0x0040A30A, "DS", ["1", "2"])
    item.is_undefined_length_sequence_item = depth % 2 == 1
    if depth > 0:
        item.add_new(0x0040A730, "SQ", [_nested(depth - 1)])
        item[0x0040A730].is_undefined_length = depth % 2 == 0
    return item


_ECHO: Final = (ContextProposal(VERIFICATION, (IMPLICIT_VR_LITTLE_ENDIAN,)),)
_MANY: Final = (
    *_ECHO,
    ContextProposal(MR, STORED_SYNTAXES, scu_role=True, scp_role=True),
    *(ContextProposal(f"1.2.840.10008.5.1.4.1.1.{number}", STORED_SYNTAXES[:3]) for number in (2, 7, 128)),
    ContextProposal("1.2.840.10008.5.1.4.31", (IMPLICIT_VR_LITTLE_ENDIAN,)),
)
_OPTIONS: Final = RequestOptions(
    user_identity=UserIdentityRQ(2, b"someone", b"secret", positive_response_requested=True),
    asynchronous_operations_window=AsynchronousOperationsWindow(4, 1),
    extended_negotiations=(SOPClassExtendedNegotiation(MR, b"\2\0\0\0\1\0"),),
)


def _storage(syntax: str) -> tuple[ContextProposal, ...]:
    return (ContextProposal(MR, (syntax,)),)


def _stores(count: int) -> Callable[[Association], object]:
    def stores(association: Association) -> None:
        context = next(found for found in association.contexts if found.abstract_syntax == MR)
        for _ in range(count):
            store(association, context, InstanceIdentity(MR, INSTANCE), instance(context.transfer_syntax))

    return stores


def _finds(association: Association) -> None:
    command = Command(CommandField=CommandField.C_FIND_RQ, AffectedSOPClassUID=MR, Priority=0)
    identifier = instance(IMPLICIT_VR_LITTLE_ENDIAN)
    for response in await_responses(association, association.contexts[0].context_id, command, identifier):
        read_all(response)


def _record(
    port: int, proposals: Sequence[ContextProposal], options: RequestOptions, talk: Callable[[Association], object]
) -> Recorded:
    with socket.create_server((HOST, 0)) as listening:
        relay = _Relay(listening, port)
        relay.start()
        remote = RemoteAE("ACCEPTOR", HOST, listening.getsockname()[1])
        with associate(remote, LocalAE("FUZZ"), proposals, options=options) as association:
            syntaxes = {context.context_id: context.transfer_syntax for context in association.contexts}
            talk(association)
        relay.join()
    return Recorded(bytes(relay.heard[0]), bytes(relay.heard[1]), syntaxes)


class _Relay(threading.Thread):
    """Passes one connection on and keeps what goes each way."""

    def __init__(self, listening: socket.socket, port: int) -> None:
        super().__init__(name="relay")
        self._listening, self._port = listening, port
        self.heard = bytearray(), bytearray()

    def run(self) -> None:
        near, _ = self._listening.accept()
        with near, socket.create_connection((HOST, self._port)) as far:
            back = threading.Thread(target=_pass_on, args=(far, near, self.heard[1]))
            back.start()
            _pass_on(near, far, self.heard[0])
            back.join()


def _pass_on(source: socket.socket, target: socket.socket, heard: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            heard += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
