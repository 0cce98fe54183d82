"""Instances of the local database for others over DICOMweb (WADO-RS, PS3.18 10.4): whole, as JSON, or a value of them.

The same is sent as by a C-STORE or C-GET of this device: private attributes that it does not know are left out. One
instance is read at a time and given in pieces, so that a study of any size takes the memory of one piece.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from openmodality.activities.send import make_reader
from openmodality.buffer import Buffer
from openmodality.device.site.association_limits import find_identity
from openmodality.device.site.site import Site
from openmodality.dimse.outgoing import list_chunks
from openmodality.encoding.json_model import BulkValue, JsonDataSet, JsonModel, MakeUri
from openmodality.encoding.part10 import encode_file_head
from openmodality.encoding.uid import is_valid_uid
from openmodality.encoding.walk import DataSetWalk
from openmodality.errors import NotFound, ObjectInvalid
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import Decompress, InstanceReader
from openmodality.standard.query_retrieve import Level
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES, UNCOMPRESSED
from openmodality.store.listing.entities import InstanceReference, instance_references
from openmodality.store.local import LocalStore
from openmodality.value_class import dataclass

ANY_SYNTAX: Final = "*"
"""Each instance in the transfer syntax that it is stored in."""
UID_ADVICE: Final = "a UID has digits and dots, 64 of them at the most"
_KEYS: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


@dataclass(frozen=True, slots=True)
class InstanceValue:
    """One value of an instance: its length, where it lies in one piece, and its bytes."""

    length: int
    pieces: Iterator[bytes]


class PixelsInFragments(ObjectInvalid):
    """The value that was asked for is compressed pixels: frames are to be asked for instead."""


class WebInstances:
    """Gives instances out of the local database; ``note_viewed`` is told of the study of each request."""

    def __init__(
        self,
        store: LocalStore,
        site: Site,
        decompress: Decompress,
        note_viewed: Callable[[str], object] = lambda study: None,
    ) -> None:
        self._note_viewed = note_viewed
        self._store = store
        self._site = site
        self._decompress = decompress

    def find(self, study: str, series: str = "", instance: str = "") -> list[InstanceReference]:
        """The instances of a study, a series, or one. Raises :class:`NotFound` where this device has none of them."""
        uids = [uid for uid in (study, series, instance) if uid]
        if not all(is_valid_uid(uid, strict=False) for uid in uids):
            raise NotFound("what was asked for is no UID", advice=UID_ADVICE)
        keys = dict(zip(_KEYS, uids, strict=False))
        with self._store.read() as snapshot:
            found = instance_references(snapshot, Level.IMAGE, keys)
        if not found:
            level = ("study", "series", "instance")[len(uids) - 1]
            raise NotFound(
                f"this device has no such {level}",
                advice="a search (QIDO-RS) says what it has; it may have been deleted",
            )
        self._note_viewed(study)
        return found

    def read_model(self, reference: InstanceReference, make_uri: MakeUri) -> JsonDataSet:
        """All attributes of an instance as DICOM JSON, with URIs in place of pixels and other long values.

        Raises :class:`ObjectInvalid` where its file is damaged, and :class:`NotFound` where it is gone.
        """
        model = JsonModel(make_uri)
        for _ in self._walk(reference, model):
            pass
        return model.document

    def read_value(self, reference: InstanceReference, path: str) -> InstanceValue:
        """A value of an instance, by its path in the URIs of :meth:`read_model`.

        Raises :class:`NotFound` where it has none there, and :class:`PixelsInFragments` for compressed pixels.
        """
        wanted = BulkValue(path)
        steps = self._walk(reference, wanted)
        for _ in steps:
            if wanted.length is not None or wanted.is_encapsulated:
                break
        if wanted.is_encapsulated:
            raise PixelsInFragments("the pixels are compressed")
        if wanted.length is None:
            raise NotFound("the instance has no such value", advice="take the BulkDataURI of its metadata")
        return InstanceValue(wanted.length, _take_pieces(wanted, steps))

    def open_file(self, reference: InstanceReference, transfer_syntax: str) -> Iterator[bytes]:
        """An instance as a Part 10 file in a transfer syntax, in pieces.

        Raises :class:`ObjectInvalid`, also on the way, where it is damaged or cannot be had in this transfer syntax.
        """
        instance = self._locate(reference)
        syntax = instance.transfer_syntax if transfer_syntax == ANY_SYNTAX else transfer_syntax
        identity, (class_uid, version_name) = instance.identity, find_identity(self._site)
        yield encode_file_head(identity.sop_class_uid, identity.sop_instance_uid, syntax, class_uid, version_name)
        with self._open(instance, syntax) as chunks:
            for chunk in chunks:
                yield bytes(chunk)

    def _locate(self, reference: InstanceReference) -> FileInstance:
        path = self._store.files.path(reference.SOPInstanceUID)
        try:
            return read_instance(path)
        except ObjectInvalid as error:
            if path.exists():
                raise
            raise NotFound("this instance was deleted meanwhile", advice="search again for what is left") from error

    @contextmanager
    def _open(self, instance: FileInstance, transfer_syntax: str) -> Generator[Iterable[Buffer]]:
        reader: InstanceReader = make_reader(self._site, self._decompress)
        with reader.data_set(instance, transfer_syntax) as data:
            yield list_chunks(data)

    def _walk(self, reference: InstanceReference, listener: JsonModel | BulkValue) -> Iterator[None]:
        """Walk over an instance, a chunk at each step, uncompressed ones in Explicit VR Little Endian."""
        instance = self._locate(reference)
        syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax)
        is_compressed = syntax is not None and syntax.encapsulated
        written_in = instance.transfer_syntax if is_compressed else EXPLICIT_VR_LITTLE_ENDIAN
        walk = DataSetWalk(written_in, (listener,))
        with self._open(instance, written_in) as chunks:
            for chunk in chunks:
                walk.feed(chunk)
                yield
        walk.finish()
        yield


def can_give(stored: str, transfer_syntax: str) -> bool:
    """Whether an instance that is stored in one transfer syntax may be had in another: nothing is compressed here."""
    return transfer_syntax in (ANY_SYNTAX, stored) or transfer_syntax in UNCOMPRESSED


def _take_pieces(wanted: BulkValue, steps: Iterator[None]) -> Iterator[bytes]:
    while True:
        pieces, wanted.pieces = wanted.pieces, []
        yield from pieces
        if wanted.is_complete or next(steps, steps) is steps:
            return
