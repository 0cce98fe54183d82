"""A short fuzz run; and that a run notices what it is there to notice, and says how to see it again."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from fuzz import live
from fuzz.connecting import Attempt
from fuzz.decoders import Target, targets
from fuzz.findings import load
from fuzz.live import LiveAcceptor
from fuzz.mutation import Mutator
from fuzz.outcomes import ACCEPTED
from fuzz.summary import table
from fuzz.tree import Node, data_set, exchange, records
from fuzz.worker import Run, Tally, Worker
from openmodality.dimse.channel import Message
from openmodality.dimse.service import Response, Service
from openmodality.errors import TransportError
from openmodality.network import acceptor as acceptor_module
from openmodality.network.connecting import shake_hands
from openmodality.network.timeouts import Timeouts
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import VERIFICATION
from tests.fault.wire import IMPLICIT, RELEASE, RQ, echo_message, image

ROOT = Path(__file__).parents[2]


def test_mutated_streams_find_nothing(tmp_path: Path, soak: bool) -> None:
    streams = 300_000 if soak else 1_500
    options = ["--streams", str(streams), "--workers", "1", "--findings", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "fuzz", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{streams:,} streams" in done.stdout
    assert all(f"| {target} |" in done.stdout for target in live.TARGETS)
    assert list(tmp_path.iterdir()) == []


def test_what_escapes_from_a_decoder_is_found_and_happens_again(tmp_path: Path) -> None:
    def fragile(data: bytes, variant: str, rng: Random) -> str:
        if b"\xff" in data:
            raise IndexError("out of range")
        return ACCEPTED

    target = Target("fragile", 1.0, {"": Mutator([Node("seed", bytes(40))])}, fragile)
    with LiveAcceptor() as acceptor:
        worker = Worker(Run(300, 5, 20.0, tmp_path), acceptor, [target])
        worker.work(lambda _: None)
        found, path = worker.tally.findings[0]
        assert found.what == "IndexError: out of range"
        again, streams = load(path)
        assert again == found
        assert worker.replay(again, streams) == ["IndexError: out of range"]
    assert "findings." in table(worker.tally, 1.0, 5)


def test_what_escapes_behind_the_acceptor_is_found_and_happens_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fragile(message: Message) -> Response:
        calls.append(message)
        if len(calls) > 2:  # the exchanges that are recorded first are right
            raise KeyError("no such key")
        return Response(0)

    service = Service("Verification", frozenset({VERIFICATION}), {CommandField.C_ECHO_RQ: fragile})
    monkeypatch.setattr(live, "VERIFICATION_SERVICE", service)
    with LiveAcceptor() as acceptor:
        worker = Worker(Run(250, 5, 20.0, tmp_path), acceptor)
        worker.work(lambda _: None)
        found, path = worker.tally.findings[0]
        assert found.target == live.NAME
        assert "dimse.handler_failed: KeyError('no such key')" in found.what
        assert any("KeyError" in what for what in worker.replay(*load(path)))


def test_what_escapes_from_a_handshake_is_found_and_happens_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(sock: ssl.SSLSocket, timeout_s: float | None) -> None:
        try:
            shake_hands(sock, timeout_s)
        except TransportError as error:
            raise KeyError("no such cipher") from error

    monkeypatch.setattr(acceptor_module, "shake_hands", fragile)
    with LiveAcceptor() as acceptor:
        worker = Worker(Run(500, 5, 20.0, tmp_path), acceptor)
        worker.work(lambda _: None)
        [(found, path)] = worker.tally.findings
        assert found.target == live.WRONG_TLS
        assert "association.failed: KeyError('no such cipher')" in found.what
        assert any("KeyError" in what for what in worker.replay(*load(path)))


def test_streams_under_tls_get_as_far_as_plain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_CALM", Timeouts(*[3.0] * 6))  # forty handshakes at a time on a busy machine
    mutator = Mutator([exchange(RQ.encode() + echo_message() + RELEASE)])
    streams = [mutator.seeds[0].encode(), *(mutator.stream(Random(n)) for n in range(40))]
    became = {}
    with LiveAcceptor() as acceptor:
        for target in live.TARGETS:
            done = acceptor.batch([Attempt(number, data) for number, data in enumerate(streams, 1)], target)
            assert acceptor.problems() == []
            became[target] = {attempt.index: (result, bytes(attempt.line.heard)) for attempt, result in done}
    assert became[live.UNDER_TLS] == became[live.NAME]
    assert became[live.UNDER_TLS][1][0] == ACCEPTED
    assert {result for result, _ in became[live.WRONG_TLS].values()} >= {"closed", ACCEPTED}


def test_records_of_a_flight_are_taken_apart_and_put_together() -> None:
    flight = b"\x16\x03\x01\0\x05hello" + b"\x14\x03\x03\0\x01\x01"
    tree = records(flight)
    assert [(node.head, node.content) for node in list(tree.nodes())[1:]] == [
        (b"\x16\x03\x01", b"hello"),
        (b"\x14\x03\x03", b"\x01"),
    ]
    assert tree.encode() == flight


def test_the_same_seed_makes_the_same_streams() -> None:
    mutator = Mutator([exchange(RQ.encode() + echo_message()), data_set(image("1.2.3"), IMPLICIT)])
    assert [mutator.stream(Random(n)) for n in range(200)] == [mutator.stream(Random(n)) for n in range(200)]


def test_without_an_edit_a_tree_is_what_was_recorded() -> None:
    with LiveAcceptor() as acceptor:
        recorded = acceptor.recorded
    for item in recorded:
        assert exchange(item.requestor, item.syntaxes).encode() == item.requestor
        assert exchange(item.acceptor, item.syntaxes).encode() == item.acceptor
    for target in targets(recorded):
        for variant, mutator in target.mutators.items():
            for seed in mutator.seeds:
                assert target.run(seed.encode(), variant, Random(1)) in (ACCEPTED, "aborted")


def test_tallies_add_up() -> None:
    one, other = Tally(peak_bytes=5), Tally(peak_bytes=9)
    one.count("PDU", ACCEPTED, 0.5, 1)
    other.count("PDU", ACCEPTED, 0.7, 2)
    one.add(other)
    assert (one.streams, one.peak_bytes, one.slowest_s["PDU"]) == (2, 9, (0.7, 2))
