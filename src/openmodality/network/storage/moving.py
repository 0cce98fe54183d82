"""The sub-operations of a C-MOVE: files to its destination, over an association of their own (PS3.4 C.4.2).

What one instance does to itself, such as a damaged file, fails that one; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple, cast

from openmodality.dimse.status import StatusCategory
from openmodality.errors import ObjectInvalid
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sending import Associate, send
from openmodality.network.storage.sent import SendOptions, Sent
from openmodality.query.moving import SubOperation
from openmodality.standard.dimse import Status

DAMAGED: Final = "an instance file is missing or damaged"
"""Why an instance failed that cannot be read."""


class StoredFile(NamedTuple):
    """An instance that matches, and where it lies."""

    sop_instance_uid: str
    path: Path


class FileTransfer:
    """Fulfils :class:`openmodality.query.moving.Transfer`. ``watch`` gives the same results, and looks at each."""

    def __init__(
        self,
        files: Sequence[StoredFile],
        associate: Associate,
        reader: InstanceReader,
        options: SendOptions,
        watch: Callable[[Iterator[Sent]], Iterator[Sent]] = iter,
    ) -> None:
        self._files = files
        self._associate = associate
        self._reader = reader
        self._options = options
        self._watch = watch
        self.reason = ""

    @property
    def sop_instance_uids(self) -> Sequence[str]:
        """The instances that match."""
        return [file.sop_instance_uid for file in self._files]

    def perform(self) -> Iterator[tuple[str, SubOperation] | None]:
        """Send one instance after the other."""
        readable: dict[FileInstance, str] = {}
        for file in self._files:
            instance = self._read(file)
            if instance is None:
                yield file.sop_instance_uid, SubOperation.FAILED
            else:
                readable[instance] = file.sop_instance_uid
        sending = send(self._associate, list(readable), self._reader, self._options)
        with closing(cast("Generator[Sent, None, None]", sending)) as results:
            for sent in self._watch(results):
                yield readable[sent.instance], self._note_end(sent)

    def _read(self, file: StoredFile) -> FileInstance | None:
        try:
            return read_instance(file.path)
        except ObjectInvalid:
            self.reason = DAMAGED
            return None

    def _note_end(self, sent: Sent) -> SubOperation:
        if not sent.is_stored or sent.result is None:
            self.reason = _explain_failure(sent)
            return SubOperation.FAILED
        is_known = sent.result.status == Status.DUPLICATE_SOP_INSTANCE
        is_warning = sent.result.verdict.category is StatusCategory.WARNING and not is_known
        return SubOperation.WARNING if is_warning else SubOperation.COMPLETED


def _explain_failure(sent: Sent) -> str:
    """Why an instance was not stored, without the destination's own words, which may hold anything."""
    if sent.result is not None:
        return f"the destination answered {sent.result.status:04X} {sent.result.verdict.meaning}"
    if isinstance(sent.error, ObjectInvalid):
        return DAMAGED
    return "" if sent.error is None else sent.error.message
