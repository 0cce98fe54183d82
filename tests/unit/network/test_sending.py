"""Many files over few associations: every file gets one result, whatever happens (PS3.4 Annex B, PS3.7 D.3.3.3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openmodality.dimse.channel import Message, read_all
from openmodality.dimse.service import Response, Service
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.instances import FileInstance, InstanceReader, read_instance
from openmodality.network.policy import StorageClasses, storage_policy
from openmodality.network.requestor import associate
from openmodality.network.sending import DEFAULT_OPTIONS, SendOptions, Sent, send
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.negotiation import RequestOptions
from openmodality.upper_layer.user_information import AsynchronousOperationsWindow
from tests.peers.objects import mr_series


class Archive:
    """Answers each C-STORE with the next of ``statuses``, then with Success."""

    def __init__(self, *statuses: int) -> None:
        self.received: list[str | None] = []
        self._statuses = iter(statuses)

    def store(self, message: Message) -> Response:
        read_all(message)
        self.received.append(message.command.AffectedSOPInstanceUID)
        return Response(next(self._statuses, 0))

    @contextmanager
    def listening(self) -> Iterator[RemoteAE]:
        service = Service("Storage", StorageClasses(), {CommandField.C_STORE_RQ: self.store})
        local = LocalAE("ARCHIVE")
        with Acceptor(local, [service], storage_policy(local), Listening("127.0.0.1")) as acceptor:
            yield RemoteAE("ARCHIVE", "127.0.0.1", acceptor.port)


def send_all(
    remote: RemoteAE, instances: list[FileInstance], window: int, options: SendOptions = DEFAULT_OPTIONS
) -> list[Sent]:
    asked = RequestOptions(asynchronous_operations_window=AsynchronousOperationsWindow(window, 1))
    local = LocalAE("SENDER")
    return list(
        send(lambda plan: associate(remote, local, plan.proposals, options=asked), instances, InstanceReader(), options)
    )


@pytest.fixture
def instances(tmp_path: Path) -> list[FileInstance]:
    return [read_instance(path) for path in mr_series(tmp_path, 12)]


@pytest.mark.parametrize("window", [1, 4, 100])
def test_every_instance_arrives_once_and_in_order(instances: list[FileInstance], window: int) -> None:
    archive = Archive()
    with archive.listening() as remote:
        sent = send_all(remote, instances, window)
    assert [s.instance for s in sent] == instances
    assert all(s.is_stored for s in sent)
    assert archive.received == [i.identity.sop_instance_uid for i in instances]


@pytest.mark.parametrize("window", [1, 4])
def test_each_status_belongs_to_its_instance(instances: list[FileInstance], window: int) -> None:
    statuses = (0x0000, 0xA700, 0xB000, 0xC000, 0x0111)
    with Archive(*statuses).listening() as remote:
        sent = send_all(remote, instances, window)
    assert [s.result.status for s in sent if s.result] == [*statuses, *[0] * 7]


def test_stopping_at_a_failure_sends_nothing_after_it(instances: list[FileInstance]) -> None:
    archive = Archive(0, 0xA700)
    with archive.listening() as remote:
        sent = send_all(remote, instances, 8, SendOptions(stop_on_failure=True))
    assert len(archive.received) == 2
    assert [s.is_stored for s in sent] == [True] + [False] * 11
    assert all("not sent" in str(s.error) for s in sent[2:])


def test_file_that_is_gone_does_not_keep_the_others(instances: list[FileInstance]) -> None:
    instances[3].path.unlink()
    with Archive().listening() as remote:
        sent = send_all(remote, instances, 4)
    assert [s.is_stored for s in sent].count(False) == 1
    assert "cannot be read" in str(next(s.error for s in sent if not s.is_stored))


@pytest.mark.parametrize("window", [1, 4])
def test_file_that_shrinks_while_it_is_sent_does_not_keep_the_others(
    instances: list[FileInstance], window: int
) -> None:
    broken = instances[3].path
    broken.write_bytes(broken.read_bytes()[:-1000])
    with Archive().listening() as remote:
        sent = send_all(remote, instances, window)
    assert {s.instance for s in sent} == set(instances)
    assert len(sent) == 12
    assert [s.instance for s in sent if not s.is_stored] == [instances[3]]
    assert "were announced" in " ".join(str(s.error) for s in sent)
