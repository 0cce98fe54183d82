"""Our own requestor as a target: a peer answers it with a mutated stream, whatever it asks."""

from __future__ import annotations

import socket
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from fuzz.decoders import Target
from fuzz.mutation import Mutator
from fuzz.outcomes import ABORTED, ACCEPTED, REJECTED
from fuzz.recording import HOST, MR, STORED_SYNTAXES, Recorded, instance, part10
from fuzz.tree import exchange
from openmodality.errors import AssociationRejected, OpenModalityError
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sending import send
from openmodality.network.timeouts import Timeouts
from openmodality.services.storage import InstanceIdentity, store
from openmodality.services.storage_plan import AssociationPlan
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.upper_layer.negotiation import ContextProposal, RequestOptions
from openmodality.upper_layer.user_information import AsynchronousOperationsWindow

NAME: Final = "live requestor"
_PROPOSALS: Final = tuple(ContextProposal(MR, STORED_SYNTAXES[: 1 + number % 3]) for number in range(3))
_WINDOW: Final = RequestOptions(asynchronous_operations_window=AsynchronousOperationsWindow(4, 1))
_SENT_AT_ONCE: Final = "sent with a window"
_LOCAL: Final = LocalAE("FUZZ", timeouts=Timeouts(*[1.0] * 6))


class AnsweringPeer:
    """Listens, and answers each connection with the stream that was set. Use as a context manager."""

    def __init__(self) -> None:
        self.stream = b""
        self._stack = ExitStack()
        self._files: list[FileInstance] = []
        self._socket = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._listen, name="answering peer")

    def __enter__(self) -> AnsweringPeer:
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="openmodality-fuzz-")))
        for number, syntax in enumerate((*STORED_SYNTAXES[:3], STORED_SYNTAXES[0])):
            path = folder / f"{number}.dcm"
            path.write_bytes(part10(syntax))
            self._files.append(read_instance(path))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
        self._stack.close()

    def target(self, recorded: list[Recorded]) -> Target:
        """The requestor as something to fuzz: it stores two instances and releases, or sends files with a window."""
        answers = Mutator([exchange(item.acceptor, item.syntaxes) for item in recorded])
        return Target(NAME, 0.03, {"": answers, _SENT_AT_ONCE: answers}, self._ask)

    def _ask(self, data: bytes, variant: str, rng: Random) -> str:
        self.stream = data
        remote = RemoteAE("ACCEPTOR", HOST, self._socket.getsockname()[1])
        if variant == _SENT_AT_ONCE:
            return self._send(remote)
        try:
            with associate(remote, _LOCAL, _PROPOSALS, (VERIFICATION_SERVICE,)) as association:
                for number in range(2):
                    context = association.contexts[number % len(association.contexts)]
                    identity = InstanceIdentity(MR, f"1.2.{number}")
                    store(association, context, identity, instance(context.transfer_syntax))
        except AssociationRejected:
            return REJECTED
        except OpenModalityError:
            return ABORTED
        return ACCEPTED

    def _send(self, remote: RemoteAE) -> str:
        def opened(plan: AssociationPlan) -> Association:
            return associate(remote, _LOCAL, plan.proposals, options=_WINDOW)

        sent = list(send(opened, self._files, InstanceReader()))
        assert sorted(each.instance.path for each in sent) == [each.path for each in self._files], "one result for each"
        return ACCEPTED if all(each.is_stored for each in sent) else ABORTED

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.sendall(self.stream)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass
