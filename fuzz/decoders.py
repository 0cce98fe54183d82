"""The decoders as targets: each takes a stream and says what became of it, or raises what is a finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import Final

from fuzz.media import directories, read_medium
from fuzz.mutation import Mutator
from fuzz.outcomes import ABORTED, ACCEPTED, REJECTED
from fuzz.recording import JPEG_BASELINE, MR, STORED_SYNTAXES, Recorded, instance, part10
from fuzz.tree import Node, data_set, exchange
from openmodality.dimse.assembler import MessageAssembler
from openmodality.dimse.command import decode_command
from openmodality.dimse.data_set import decode_data_set
from openmodality.encoding.listening import KeptValues, Listener, Tokens
from openmodality.encoding.part10 import read_any
from openmodality.encoding.tokenizer import Tokenizer
from openmodality.encoding.transcode import Transcoder
from openmodality.encoding.walk import DataSetWalk, read_values
from openmodality.errors import ObjectInvalid, OpenModalityError, ProtocolError
from openmodality.standard.tags import PIXEL_DATA, SOP_CLASS_UID, SOP_INSTANCE_UID
from openmodality.standard.transfer_syntaxes import (
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)
from openmodality.upper_layer.acceptance import AcceptorPolicy, PeerPolicy, SyntaxPolicy, decide_answer
from openmodality.upper_layer.items import PresentationContextRQ
from openmodality.upper_layer.negotiation import LocalSide, read_outcome
from openmodality.upper_layer.pdu import A_ASSOCIATE_RJ, A_ASSOCIATE_RQ, decode
from openmodality.upper_layer.primitives import (
    AbortIndication,
    AssociateAccept,
    AssociateConfirm,
    AssociateIndication,
    AssociateRequest,
    PresentationDataValue,
    ReleaseIndication,
    ReleaseResponse,
    Role,
)
from openmodality.upper_layer.provider import Provider
from openmodality.upper_layer.user_information import UserInformation

_LIMIT: Final = 16384
_UNCOMPRESSED: Final = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN)
_POLICY: Final = AcceptorPolicy(
    LocalSide("1.2.3", "FUZZ", _LIMIT), lambda _: PeerPolicy({}, other=SyntaxPolicy(STORED_SYNTAXES))
)


@dataclass(frozen=True, slots=True)
class Target:
    """What is fuzzed: how often (a share of all streams), with what, and the call. ``variant`` is one of ``variants``.

    ``run`` raises nothing but the errors that it is documented to raise, which count as rejected.
    """

    name: str
    share: float
    mutators: Mapping[str, Mutator]
    run: Callable[[bytes, str, Random], str]


def pieces(data: bytes, rng: Random) -> Iterator[bytes]:
    """The stream as a network delivers it: mostly whole, sometimes in pieces of any size."""
    if rng.random() < 0.5:
        yield data
        return
    size = rng.choice((1, 3, 11, 64, 1000))
    size = max(size, len(data) // 500)
    yield from (data[start : start + size] for start in range(0, len(data), size))


def targets(recorded: list[Recorded]) -> list[Target]:
    """All decoders with what they start from."""
    requests = [exchange(item.requestor, item.syntaxes) for item in recorded]
    answers = [exchange(item.acceptor, item.syntaxes) for item in recorded]
    pdus = [node for tree in (*requests, *answers) for node in tree.nodes() if node.kind == "PDU"]
    commands = [
        Node("command", node.content[1].content)
        for node in (node for pdu in pdus for node in pdu.nodes())
        if node.kind == "PDV" and isinstance(node.content, list) and _is_command(node.content[0])
    ]
    sets = {uid: Mutator([_data_set(uid)]) for uid in STORED_SYNTAXES}
    plain = {uid: sets[uid] for uid in (*_UNCOMPRESSED, JPEG_BASELINE)}
    uncompressed = {uid: sets[uid] for uid in _UNCOMPRESSED}
    files = Mutator([_file(uid) for uid in STORED_SYNTAXES])
    return [
        Target("Provider as acceptor", 0.18, {"": Mutator(requests)}, _provider_acceptor),
        Target("Provider as requestor", 0.10, {"": Mutator(answers)}, _provider_requestor),
        Target("PDU", 0.14, {"": Mutator(pdus)}, _pdu),
        Target("command set", 0.12, {"": Mutator(commands)}, _command),
        Target("Tokenizer", 0.07, plain, _tokenizer),
        Target("values of a head", 0.05, sets, _values),
        Target("walk", 0.05, sets, _walk),
        Target("Transcoder", 0.07, uncompressed, _transcoder),
        Target("Part 10 head", 0.05, {"": files}, _part10),
        Target("identifier", 0.05, plain, _identifier),
        Target("DICOMDIR", 0.05, {"": Mutator(directories())}, read_medium),
    ]


def _is_command(control: Node) -> bool:
    return isinstance(control.content, bytes) and bool(control.content[1] & 1)


def _data_set(uid: str) -> Node:
    raw = instance(uid)
    return Node("deflated", raw) if uid == DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN else data_set(raw, uid)


def _file(uid: str) -> Node:
    whole = part10(uid)
    end = read_any(whole).data_set_offset
    head = data_set(whole[132:end], EXPLICIT_VR_LITTLE_ENDIAN)
    return Node("file", [Node("preamble", whole[:132]), head, _data_set(uid)])


def _provider_acceptor(data: bytes, variant: str, rng: Random) -> str:
    provider = Provider(Role.ACCEPTOR, max_pdu_length=_LIMIT)
    provider.transport_connected()
    return _converse(provider, data, rng)


_PROPOSED: Final = A_ASSOCIATE_RQ(
    called_ae_title="ACCEPTOR",
    calling_ae_title="FUZZ",
    presentation_contexts=tuple(PresentationContextRQ(number, MR, STORED_SYNTAXES) for number in range(1, 13, 2)),
    user_information=UserInformation(maximum_length=_LIMIT),
)


def _provider_requestor(data: bytes, variant: str, rng: Random) -> str:
    provider = Provider(Role.REQUESTOR, max_pdu_length=_LIMIT)
    provider.send(AssociateRequest(_PROPOSED))
    provider.transport_connected()
    return _converse(provider, data, rng)


def _converse(provider: Provider, data: bytes, rng: Random) -> str:
    """Bytes in, and the answers a user of the provider would give; all that is to be sent must be whole PDUs."""
    assembler = MessageAssembler()
    result = ABORTED
    for piece in pieces(data, rng):
        provider.receive_data(bytearray(piece) if rng.random() < 0.5 else piece)
        while (event := provider.next_event()) is not None:
            if isinstance(event, AssociateIndication):
                answer = decide_answer(event.pdu, _POLICY)
                if isinstance(answer, A_ASSOCIATE_RJ):
                    return REJECTED
                read_outcome(event.pdu, answer, Role.ACCEPTOR)
                provider.send(AssociateAccept(answer))
                result = ACCEPTED
            elif isinstance(event, AssociateConfirm):
                read_outcome(_PROPOSED, event.pdu)
                result = ACCEPTED
            elif isinstance(event, PresentationDataValue):
                try:
                    assembler.receive(event)
                except ProtocolError:
                    return ABORTED
            elif isinstance(event, ReleaseIndication) and not event.collision:
                provider.send(ReleaseResponse())
            elif isinstance(event, AbortIndication):
                result = ABORTED
        check_pdus(provider.data_to_send())
    provider.transport_closed()
    return REJECTED if provider.violation and result is ABORTED and not provider.accepted_contexts else result


def check_pdus(data: bytes) -> list[int]:
    """The types of the PDUs in what one of ours has sent; raises where they are not whole and right."""
    types = []
    while data:
        end = 6 + int.from_bytes(data[2:6], "big")
        if end > len(data):
            raise AssertionError("a PDU that was sent is not whole")
        decode(data[0], data[6:end])
        types.append(data[0])
        data = data[end:]
    return types


def _pdu(data: bytes, variant: str, rng: Random) -> str:
    if not data:
        return REJECTED
    try:
        pdu = decode(data[0], data[6:])
    except ProtocolError:
        return REJECTED
    if decode(data[0], pdu.encode()[6:]) != pdu:
        raise AssertionError("a PDU that was decoded and encoded again is another")
    return ACCEPTED


def _command(data: bytes, variant: str, rng: Random) -> str:
    try:
        decode_command(data)
    except ProtocolError:
        return REJECTED
    return ACCEPTED


def _tokenizer(data: bytes, variant: str, rng: Random) -> str:
    tokenizer = Tokenizer(variant)

    def tokenize() -> None:
        for piece in pieces(data, rng):
            tokenizer.feed(piece)
        tokenizer.finish()

    return _rejecting(tokenize)


def _values(data: bytes, variant: str, rng: Random) -> str:
    def read() -> None:
        read_values(pieces(data, rng), variant, KeptValues(frozenset({SOP_CLASS_UID, SOP_INSTANCE_UID})))

    return _rejecting(read)


def _walk(data: bytes, variant: str, rng: Random) -> str:
    listener = Listener()
    listener.tags, listener.vrs = (
        frozenset({SOP_CLASS_UID, PIXEL_DATA}),
        rng.choice([frozenset[str](), frozenset({"UI"})]),
    )
    listener.tokens = rng.choice(list(Tokens))
    walk = DataSetWalk(variant, rng.choice([(), (listener,)]))

    def go() -> None:
        for piece in pieces(data, rng):
            walk.feed(piece)
        walk.finish()

    return _rejecting(go)


def _transcoder(data: bytes, variant: str, rng: Random) -> str:
    transcoder = Transcoder(variant, rng.choice(_UNCOMPRESSED))

    def convert() -> None:
        for piece in pieces(data, rng):
            transcoder.feed(piece)
        transcoder.finish()

    return _rejecting(convert)


def _part10(data: bytes, variant: str, rng: Random) -> str:
    def read() -> None:
        if read_any(BytesIO(data)) != read_any(data):
            raise AssertionError("the head of a file reads otherwise from memory")

    return _rejecting(read)


def _identifier(data: bytes, variant: str, rng: Random) -> str:
    return _rejecting(lambda: decode_data_set(data, variant))


def _rejecting(call: Callable[[], object]) -> str:
    try:
        call()
    except ObjectInvalid:
        return REJECTED
    except OpenModalityError as error:
        raise AssertionError(f"{type(error).__name__} instead of ObjectInvalid") from error
    return ACCEPTED
