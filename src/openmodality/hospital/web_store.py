"""The DICOMweb service of the virtual PACS: it stores (STOW-RS, PS3.18 10.5), and finds and gives nothing.

A part goes to a file of its own as it comes, then through the same sink as an instance of a C-STORE. The answer is 200
where all are stored, 202 where some are, 409 where none is, and says of each what became of it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.service import Refuse
from openmodality.encoding.listening import KeptValues
from openmodality.encoding.multipart import parse_media_type
from openmodality.encoding.multipart_reader import BrokenMultipart, MultipartReader, PartData, PartEnd, PartStart
from openmodality.encoding.part10 import read_any, read_chunks
from openmodality.encoding.pixel_check import PixelDataCheck
from openmodality.encoding.uid import is_valid_uid, strip_padding
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import ObjectInvalid, StoreError, TransportError
from openmodality.hospital.web_effects import WebEffect
from openmodality.services.storage import (
    CANNOT_UNDERSTAND,
    DATA_SET_DOES_NOT_MATCH,
    InstanceIdentity,
    InstanceSink,
    StoreRequest,
)
from openmodality.standard.dimse import OUT_OF_RESOURCES
from openmodality.standard.tags import SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID
from openmodality.value_class import dataclass

WEB_PATH: Final = "/dicom-web"
_DICOM: Final = "application/dicom"
_CHUNK_BYTES: Final = 64 * 1024
_SILENCE_S: Final = 30.0
_STUDIES: Final = f"{WEB_PATH}/studies"

Misbehave = Callable[[bool], list[WebEffect]]
"""What is to go wrong with a request (``False``) or with an instance (``True``)."""


@dataclass(slots=True)
class _Outcome:
    """What became of the instances of a request."""

    stored: list[tuple[str, str]] = field(default_factory=list)
    failed: list[tuple[str, str, int]] = field(default_factory=list)
    unsaid: set[str] = field(default_factory=set)

    @property
    def status(self) -> int:
        if not self.failed:
            return 200
        return 202 if self.stored else 409

    def write(self, url: str) -> bytes:
        """The answer (PS3.18 I.2)."""
        stored = [_write_reference(*pair) for pair in self.stored if pair[1] not in self.unsaid]
        failed = [
            {**_write_reference(sop_class, uid), "00081197": {"vr": "US", "Value": [reason]}}
            for sop_class, uid, reason in self.failed
            if uid not in self.unsaid
        ]
        document: dict[str, Any] = {"00081190": {"vr": "UR", "Value": [url]}}
        for tag, items in (("00081198", failed), ("00081199", stored)):
            if items:
                document[tag] = {"vr": "SQ", "Value": items}
        return json.dumps(document).encode()


def _write_reference(sop_class_uid: str, sop_instance_uid: str) -> dict[str, Any]:
    return {
        "00081150": {"vr": "UI", "Value": [sop_class_uid]},
        "00081155": {"vr": "UI", "Value": [sop_instance_uid]},
    }


class WebStore:
    """Listens between ``start`` and ``stop``. Raises :class:`TransportError` where the port is taken."""

    def __init__(self, host: str, port: int, sink: InstanceSink, misbehave: Misbehave) -> None:
        handler = partial(_Handler, sink, misbehave)
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise TransportError(f"port {port} cannot be listened on: {error.strerror}") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="pacs-web", daemon=True)
        self.url = f"http://{host}:{self._server.server_port}{WEB_PATH}"

    def start(self) -> None:
        """Listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    timeout = _SILENCE_S

    def __init__(self, sink: InstanceSink, misbehave: Misbehave, *arguments: Any) -> None:
        self._sink = sink
        self._misbehave = misbehave
        super().__init__(*arguments)

    def log_message(self, format: str, *args: Any) -> None:
        """Addresses stay out of the log: they may name a patient."""

    def do_OPTIONS(self) -> None:
        self._answer(200, headers={"Allow": "OPTIONS, POST"})

    def do_GET(self) -> None:
        self._answer(501)

    def do_POST(self) -> None:
        effects = self._misbehave(False)
        kind = parse_media_type(self.headers.get("content-type", ""))
        if self.path != _STUDIES and not self.path.startswith(f"{_STUDIES}/"):
            self._refuse(404)
        elif any(effect.is_cut for effect in effects):
            self.rfile.read(1)
            self.close_connection = True
        elif statuses := [effect.status for effect in effects if effect.status]:
            self._refuse(statuses[0])
        elif (
            kind.name != "multipart/related" or kind.parameters.get("type", "application/dicom") != "application/dicom"
        ):
            self._refuse(415)
        else:
            self._store(kind.parameters.get("boundary", ""))

    def _store(self, boundary: str) -> None:
        outcome = _Outcome()
        try:
            for part in _split_parts(MultipartReader(boundary), self._read_body()):
                self._take(part, outcome)
        except BrokenMultipart:
            self.close_connection = True  # whatever comes next is none of a request
            self._answer(400)
            return
        self._answer(outcome.status, outcome.write(f"http://{self.headers.get('host', '')}{_STUDIES}"))

    def _take(self, part: BinaryIO, outcome: _Outcome) -> None:
        """Store one instance, or say why not."""
        identity = InstanceIdentity("", "")
        effects = self._misbehave(True)
        try:
            identity, request, offset = self._read_request(part)
            if reasons := [effect.failure for effect in effects if effect.failure]:
                raise Refuse(reasons[0])
            _write_through(self._sink, request, read_chunks(part, offset, _CHUNK_BYTES))
            outcome.stored.append(identity)
        except Refuse as refusal:
            outcome.failed.append((*identity, refusal.status))
        except StoreError:
            outcome.failed.append((*identity, OUT_OF_RESOURCES))
        except ObjectInvalid:
            outcome.failed.append((*identity, CANNOT_UNDERSTAND))
        if any(effect.is_unsaid for effect in effects):
            outcome.unsaid.add(identity.sop_instance_uid)

    def _read_request(self, part: BinaryIO) -> tuple[InstanceIdentity, StoreRequest, int]:
        """Look at an instance. Raises :class:`Refuse` where it is of another study than the address names."""
        meta = read_any(part)
        kept = KeptValues(frozenset((SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID)))
        looking = DataSetWalk(meta.transfer_syntax_uid, (kept,), only_for_listeners=True)
        for chunk in read_chunks(part, meta.data_set_offset, _CHUNK_BYTES):
            looking.feed(chunk)
            if looking.is_done:
                break
        uids = {tag: strip_padding(value) for tag, value in kept.values.items()}
        identity = InstanceIdentity(uids.get(SOP_CLASS_UID, ""), uids.get(SOP_INSTANCE_UID, ""))
        if not all(is_valid_uid(uid, strict=False) for uid in identity):
            raise Refuse(CANNOT_UNDERSTAND)
        study = self.path[len(_STUDIES) :].strip("/")
        if study and study != uids.get(STUDY_INSTANCE_UID):
            raise Refuse(DATA_SET_DOES_NOT_MATCH)
        walk = DataSetWalk(meta.transfer_syntax_uid, (PixelDataCheck(meta.transfer_syntax_uid),), strict=True)
        caller = PeerInfo("DICOMWEB", "", self.client_address[0])
        return identity, StoreRequest(identity, meta.transfer_syntax_uid, caller, walk), meta.data_set_offset

    def _read_body(self) -> Iterator[bytes]:
        """The body in pieces; one of a declared length, or in chunks (RFC 9112 7.1)."""
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            yield from self._read_chunked()
            return
        left = int(self.headers.get("content-length") or 0)
        while left and (piece := self.rfile.read(min(left, _CHUNK_BYTES))):
            left -= len(piece)
            yield piece

    def _read_chunked(self) -> Iterator[bytes]:
        while True:
            text = self.rfile.readline(64).partition(b";")[0].strip()
            try:
                size = int(text, 16)
            except ValueError:
                raise BrokenMultipart("a chunk of the request has no length") from None
            if not size:
                self.rfile.readline(64)
                return
            while size and (piece := self.rfile.read(min(size, _CHUNK_BYTES))):
                size -= len(piece)
                yield piece
            self.rfile.readline(8)

    def _refuse(self, status: int) -> None:
        """Answer without storing; what was sent is read first, so that the answer arrives."""
        for _ in self._read_body():
            pass
        self._answer(status)

    def _answer(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if body:
            self.send_header("Content-Type", "application/dicom+json")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _split_parts(reader: MultipartReader, body: Iterator[bytes]) -> Iterator[BinaryIO]:
    """Each part as a file, read from its beginning. Raises :class:`BrokenMultipart`."""
    with TemporaryFile() as part:
        for piece in body:
            for event in reader.feed(piece):
                if isinstance(event, PartStart):
                    part.seek(0)
                    part.truncate()
                elif isinstance(event, PartData):
                    part.write(event.data)
                elif isinstance(event, PartEnd):
                    part.seek(0)
                    yield part
    reader.finish()


def _write_through(sink: InstanceSink, request: StoreRequest, chunks: Iterator[bytes]) -> None:
    writer = sink.open(request)
    try:
        for chunk in chunks:
            request.walk.feed(chunk)
            writer.write(memoryview(chunk))
        request.walk.finish()
    except BaseException:
        writer.abort()
        raise
    writer.commit()
