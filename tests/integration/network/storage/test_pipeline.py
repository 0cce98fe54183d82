"""Many files over few associations: every file gets one result, whatever happens (PS3.4 Annex B, PS3.7 D.3.3.3)."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openmodality.dimse.channel import Message, read_all
from openmodality.dimse.service import Response, Service
from openmodality.errors import AssociationAborted, NoPresentationContext, ProtocolError, TransportError
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import StorageClasses, storage_policy
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE, RemoteAE
from openmodality.network.requestor import associate
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sending import MAX_IN_VAIN, send
from openmodality.network.storage.sent import DEFAULT_OPTIONS, SendOptions, Sent
from openmodality.network.timeouts import Timeouts
from openmodality.services.storage_plan import AssociationPlan
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import SECONDARY_CAPTURE_IMAGE_STORAGE
from openmodality.standard.upper_layer import CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED
from openmodality.upper_layer.acceptance import Load
from openmodality.upper_layer.negotiation import RequestOptions
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.upper_layer.user_information import AsynchronousOperationsWindow
from openmodality.value_class import replace
from tests.interop import wire
from tests.peers.objects import mr_image, mr_series, save


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
    remote: RemoteAE,
    instances: list[FileInstance],
    window: int,
    options: SendOptions = DEFAULT_OPTIONS,
    before: Callable[[], object] = lambda: None,
) -> list[Sent]:
    """Send; ``before`` is called before each association."""
    asked = RequestOptions(asynchronous_operations_window=AsynchronousOperationsWindow(window, 1))
    local = LocalAE("SENDER", timeouts=Timeouts(data_s=1))

    def begin(plan: AssociationPlan) -> Association:
        before()
        return associate(remote, local, plan.proposals, options=asked)

    return list(send(begin, instances, InstanceReader(), options))


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


def take_two(connection: wire.Wire) -> None:
    """Accept with a window, and take two instances."""
    connection.expect(wire.ASSOCIATE_RQ)
    connection.send(wire.associate_ac([(1, 0, wire.EXPLICIT)], window=8))
    for _ in range(2):
        while connection.expect(wire.P_DATA)[5] != 2:
            pass


def answer_and_abort(connection: wire.Wire, *message_ids: int) -> None:
    responses = (wire.response(0x8001, wire.MR_IMAGE, message_id=number) for number in message_ids)
    connection.send(*(wire.p_data(wire.value(each, 3)) for each in responses), wire.abortion(2))


def hang_up(connection: wire.Wire) -> None:
    """End the connection on which the rest is offered."""
    connection.expect(wire.ASSOCIATE_RQ)


@pytest.fixture
def two_and_a_large_one(instances: list[FileInstance], tmp_path: Path) -> list[FileInstance]:
    """The third does not fit the buffers of a connection, so that writing it lasts until the peer ends it."""
    large = save(mr_image(rows=4096, columns=4096), tmp_path / "large")
    return [*instances[:2], read_instance(large)]


def test_responses_that_wait_when_a_write_fails_count(two_and_a_large_one: list[FileInstance]) -> None:
    def script(connection: wire.Wire) -> None:
        take_two(connection)
        answer_and_abort(connection, 1, 2)  # what is unread makes the system reset the connection when it is closed

    with wire.listening(script) as peer:
        sent = send_all(RemoteAE("SCRIPT", peer.host, peer.port), two_and_a_large_one, 8)
    results = {s.instance: s for s in sent}
    assert [results[i].is_stored for i in two_and_a_large_one] == [True, True, False]
    assert len(sent) == 3


def test_an_abort_is_reported_though_the_write_timed_out(two_and_a_large_one: list[FileInstance]) -> None:
    def script(connection: wire.Wire) -> None:
        take_two(connection)
        answer_and_abort(connection, 1)
        ended.wait(10)

    ended = threading.Event()
    begins = iter([lambda: None, ended.set])  # the rest is offered when the write has timed out
    with wire.listening(script, hang_up) as peer:
        remote = RemoteAE("SCRIPT", peer.host, peer.port)
        sent = send_all(remote, two_and_a_large_one, 8, before=lambda: next(begins)())
    results = {s.instance: s for s in sent}
    first, second, third = (results[i] for i in two_and_a_large_one)
    assert first.is_stored
    assert str(second.error).startswith("sent, but not answered, because the association ended: SCRIPT aborted")
    assert isinstance(third.error, AssociationAborted)


def test_responses_that_came_out_of_order_before_an_abort_count(instances: list[FileInstance]) -> None:
    def script(connection: wire.Wire) -> None:
        take_two(connection)
        answer_and_abort(connection, 2)
        connection.until_closed()

    with wire.listening(script, hang_up) as peer:
        sent = send_all(RemoteAE("SCRIPT", peer.host, peer.port), instances[:3], 8)
    assert len(sent) == 3
    results = {s.instance: s for s in sent}
    first, second, third = (results[i] for i in instances[:3])
    assert [s.is_stored for s in (first, second, third)] == [False, True, False]
    assert isinstance(first.error, AssociationAborted)
    assert isinstance(third.error, TransportError)
    assert str(third.error).startswith("sent, but not answered, because the association ended: ")
    assert third.is_transient


STOPPING = SendOptions(stop_on_failure=True)


def test_stopping_at_a_file_of_ours_that_is_gone(instances: list[FileInstance]) -> None:
    instances[2].path.unlink()
    archive = Archive()
    with archive.listening() as remote:
        sent = send_all(remote, instances, 1, STOPPING)
    assert [s.instance for s in sent] == instances
    assert [s.is_stored for s in sent] == [True, True] + [False] * 10
    assert len(archive.received) == 2
    assert str(sent[3].error) == "not sent, because an instance before it failed"


def test_stopping_at_an_instance_without_a_context(instances: list[FileInstance]) -> None:
    """The peer takes the MR images but not the query class that the third claims to be of, also not the second time."""
    instances[2] = instances[2]._replace(identity=instances[2].identity._replace(sop_class_uid=QUERY))
    archive = Archive()
    with archive.listening() as remote:
        sent = send_all(remote, instances, 1, STOPPING)
    assert [s.instance for s in sent] == [*instances[:2], *instances[3:], instances[2]]
    assert [s.is_stored for s in sent] == [True] * 11 + [False]
    assert isinstance(sent[11].error, NoPresentationContext)
    assert len(archive.received) == 11


def test_stopping_at_a_failure_leaves_nothing_to_be_offered_once_more(instances: list[FileInstance]) -> None:
    instances[0] = instances[0]._replace(identity=instances[0].identity._replace(sop_class_uid=QUERY))
    archive = Archive(0, 0xA700)
    with archive.listening() as remote:
        sent = send_all(remote, instances, 1, STOPPING)
    assert len(archive.received) == 2
    assert {s.instance for s in sent} == set(instances)
    assert len(sent) == 12
    assert "not sent" in str(sent[-1].error)
    assert sent[-1].instance == instances[0]


def test_a_lost_peer_is_not_asked_once_more(instances: list[FileInstance]) -> None:
    """What it has refused before is due the next time, as all that has not been sent."""
    instances[0] = instances[0]._replace(identity=instances[0].identity._replace(sop_class_uid=QUERY))

    def script(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 3, None), (3, 0, wire.EXPLICIT)]))
        connection.receive_command()

    with wire.listening(script, hang_up) as peer:
        sent = send_all(RemoteAE("SCRIPT", peer.host, peer.port), instances, 1)
    assert {s.instance for s in sent} == set(instances)
    assert len(sent) == 12
    assert all(s.is_transient for s in sent)


class Aborting(Archive):
    """Ends the association at instances of some UIDs, as often as they come; counts the associations."""

    def __init__(self, *culprits: str) -> None:
        super().__init__()
        self._culprits = culprits

    def store(self, message: Message) -> Response:
        if message.command.AffectedSOPInstanceUID in self._culprits:
            read_all(message)
            self.received.append(message.command.AffectedSOPInstanceUID)
            raise ProtocolError("an instance that this archive cannot bear")
        return super().store(message)


@pytest.mark.parametrize("window", [1, 4, 100])
@pytest.mark.parametrize("places", [[0], [4], [11], [0, 1], [3, 7, 8], [2, 3]])
def test_an_instance_at_which_the_peer_aborts_keeps_no_other(
    instances: list[FileInstance], window: int, places: list[int]
) -> None:
    """It is tried again when the others are there, and named with why."""
    culprits = [instances[place] for place in places]
    archive = Aborting(*(culprit.identity.sop_instance_uid for culprit in culprits))
    with archive.listening() as remote:
        sent = send_all(remote, instances, window)
    assert len(sent) == 12
    assert {s.instance for s in sent} == set(instances)
    assert [s.instance for s in sent if not s.is_stored] == culprits
    assert all(isinstance(s.error, AssociationAborted | TransportError) and s.was_offered for s in sent[-len(places) :])
    assert {s.instance for s in sent[-len(places) :]} == set(culprits)


def test_a_peer_that_aborts_at_everything_is_left_alone(instances: list[FileInstance]) -> None:
    archive = Aborting(*(instance.identity.sop_instance_uid for instance in instances))
    with archive.listening() as remote:
        sent = send_all(remote, instances, 1)
    assert len(sent) == 12
    assert archive.received == [instance.identity.sop_instance_uid for instance in instances[:MAX_IN_VAIN]]
    assert [s.was_offered for s in sent].count(True) == MAX_IN_VAIN
    assert all(s.is_transient for s in sent)


QUERY = "1.2.840.10008.5.1.4.1.2.2.1"


def test_stopping_ends_the_associations_that_would_follow(instances: list[FileInstance]) -> None:
    """More SOP Classes than one association has contexts for."""
    many = [
        instances[0]._replace(identity=instances[0].identity._replace(sop_class_uid=f"1.2.826.{number}"))
        for number in range(130)
    ]
    archive = Archive(0xA700)
    with archive.listening() as remote:
        sent = send_all(remote, many, 1, STOPPING)
    assert len(archive.received) == 1
    assert sum(s.result is not None for s in sent) == 1
    assert {s.instance for s in sent} == set(many)


def test_stopping_where_there_is_no_association(instances: list[FileInstance]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    sent = send_all(RemoteAE("NOBODY", "127.0.0.1", port), instances, 1, STOPPING)
    assert str(sent[0].error).startswith("cannot connect")
    assert all(str(s.error).startswith("not sent, because the association ended: cannot conn") for s in sent[1:])


class Moody(Archive):
    """A peer that accepts no presentation context of some SOP Classes on its first associations."""

    def __init__(self, refusals: int, *sop_classes: str) -> None:
        super().__init__()
        self.associations = 0
        self._refusals = refusals
        self._sop_classes = frozenset(sop_classes)

    @contextmanager
    def listening(self) -> Iterator[RemoteAE]:
        local = LocalAE("ARCHIVE")
        accept = storage_policy(local)

        def decide(request: A_ASSOCIATE_RQ, load: Load) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
            self.associations += 1
            answer = accept(request, load)
            if self.associations > self._refusals or not isinstance(answer, A_ASSOCIATE_AC):
                return answer
            refused = {c.id for c in request.presentation_contexts if c.abstract_syntax in self._sop_classes}
            contexts = tuple(
                replace(context, result=CONTEXT_ABSTRACT_SYNTAX_NOT_SUPPORTED) if context.id in refused else context
                for context in answer.presentation_contexts
            )
            return replace(answer, presentation_contexts=contexts)

        service = Service("Storage", StorageClasses(), {CommandField.C_STORE_RQ: self.store})
        with Acceptor(local, [service], decide, Listening("127.0.0.1")) as acceptor:
            yield RemoteAE("ARCHIVE", "127.0.0.1", acceptor.port)


@pytest.mark.parametrize("options", [DEFAULT_OPTIONS, STOPPING])
@pytest.mark.parametrize("which", ["some", "all"])
def test_contexts_that_are_refused_once_are_negotiated_again(
    instances: list[FileInstance], options: SendOptions, which: str
) -> None:
    other = instances[3].identity._replace(sop_class_uid=SECONDARY_CAPTURE_IMAGE_STORAGE)
    instances[3] = instances[3]._replace(identity=other)
    classes = {SECONDARY_CAPTURE_IMAGE_STORAGE} if which == "some" else {i.identity.sop_class_uid for i in instances}
    peer = Moody(1, *classes)
    with peer.listening() as remote:
        sent = send_all(remote, instances, 1, options)
    assert {s.instance for s in sent if s.is_stored} == set(instances)
    assert len(sent) == len(instances)
    assert peer.associations == 2


@pytest.mark.parametrize("options", [DEFAULT_OPTIONS, STOPPING])
def test_contexts_that_are_refused_twice_are_a_failure(instances: list[FileInstance], options: SendOptions) -> None:
    other = instances[3].identity._replace(sop_class_uid=SECONDARY_CAPTURE_IMAGE_STORAGE)
    instances[3] = instances[3]._replace(identity=other)
    peer = Moody(9, SECONDARY_CAPTURE_IMAGE_STORAGE)
    with peer.listening() as remote:
        sent = send_all(remote, instances, 1, options)
    assert [s.is_stored for s in sent] == [True] * 11 + [False]
    assert isinstance(sent[11].error, NoPresentationContext)
    assert peer.associations == 2
