"""The orders to a hospital that runs: by lines on its standard input, or from another terminal.

Each order is a word with others behind it. It answers with a line for a person, or is refused with an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from openmodality.counted import format_count
from openmodality.errors import ConfigurationError, UsageError
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.schedule import data_set
from openmodality.network.entity import RemoteAE, normalize_ae_title

ORDERS: Final = {
    "misbehave": ("PERSONALITY ...", "fail on purpose, such as pacs:a700@5"),
    "behave": ("[PERSONALITY ...]", "switch these off again, or all"),
    "peer": ("AET=HOST:PORT ...", "where a device listens"),
    "forget": ("AET ...", "take devices out of the address book"),
    "patient": ("PATIENT-ID KEYWORD=VALUE ...", "change a patient in the worklist, as an ADT message does"),
    "status": ("", "what is switched on, which devices are known, how much there is"),
    "quit": ("", "end"),
}
"""Each order, with the words behind it and what it does."""


class Orders:
    """Obeys orders for one hospital; ``stop`` ends it."""

    def __init__(self, hospital: Hospital, stop: Callable[[], object]) -> None:
        self._hospital = hospital
        self._obey: dict[str, Callable[..., str]] = {
            "misbehave": self._misbehave,
            "behave": self._behave,
            "peer": self._add_peers,
            "forget": self._forget_peers,
            "patient": self._change_patient,
            "status": self._describe_state,
            "quit": self._quit,
        }
        self._stop = stop

    def obey(self, words: Sequence[str]) -> str:
        """Do what the words say; the line to show.

        Raises :class:`ConfigurationError` or :class:`UsageError` where that cannot be.
        """
        first, *others = words or ("",)
        order = self._obey.get(first)
        if order is None:
            raise UsageError(f"{first!r} is no order", advice=f"use one of {', '.join(ORDERS)}")
        return order(*others)

    def _misbehave(self, *texts: str) -> str:
        if not texts:
            raise UsageError("misbehave needs a personality", advice="see openmodality hospital --list-personalities")
        self._hospital.misbehave(*texts)
        return self._describe_misbehaviour()

    def _behave(self, *texts: str) -> str:
        self._hospital.behave(*texts)
        return self._describe_misbehaviour()

    def _add_peers(self, *texts: str) -> str:
        if not texts:
            raise UsageError("peer needs an address", advice="write it as AET=HOST:PORT")
        self._hospital.peers.update(dict(parse_peer(text) for text in texts))
        return self._describe_peers()

    def _forget_peers(self, *titles: str) -> str:
        if not titles:
            raise UsageError("forget needs an AE title", advice=self._describe_peers())
        forgotten = dict.fromkeys(map(normalize_ae_title, titles))
        for title in forgotten:
            if title not in self._hospital.peers:
                raise UsageError(f"the address book has no {title}", advice=self._describe_peers())
        for title in forgotten:
            self._hospital.peers.pop(title, None)
        return self._describe_peers()

    def _change_patient(self, *words: str) -> str:
        if len(words) < 2 or not all("=" in word for word in words[1:]):
            raise UsageError("patient needs a Patient ID and values", advice="write them as KEYWORD=VALUE")
        patient_id, *changes = words
        values = dict(change.split("=", 1) for change in changes)
        checked = data_set(values, "patient", self._hospital.today)
        if not any(item.patient_id == patient_id for item in self._hospital.ris.items):
            raise UsageError("the worklist has no patient with this ID")
        count = self._hospital.ris.change_patient(patient_id, **{each.keyword: each.value for each in checked})
        return f"changed in {format_count(count, 'worklist item')}"

    def _describe_state(self, *others: str) -> str:
        _check_alone("status", others)
        ris, pacs = self._hospital.ris, self._hospital.pacs
        open_items = sum(item.state.is_open for item in ris.items)
        counts = f"{open_items} open worklist items, {len(ris.steps)} steps, {len(pacs.instances)} instances"
        return f"{self._describe_misbehaviour()}; {self._describe_peers()}; {counts}{self._describe_audit()}"

    def _describe_audit(self) -> str:
        """What the audit repository has got, by kind, and how much of it was wrong or came again."""
        if self._hospital.audit is None:
            return ""
        messages = self._hospital.audit.messages
        kinds = Counter(message.kind or "unknown" for message in messages)
        listed = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none"
        wrong = sum(bool(message.faults) for message in messages)
        again = sum(message.is_repeated for message in messages)
        return f"; audit messages: {listed}; {wrong} of them wrong, {again} came again"

    def _quit(self, *others: str) -> str:
        _check_alone("quit", others)
        self._stop()
        return "stops"

    def _describe_misbehaviour(self) -> str:
        active = self._hospital.misbehaviour
        return f"misbehaves: {' '.join(active)}" if active else "behaves"

    def _describe_peers(self) -> str:
        listed = ", ".join(f"{title}={host}:{port}" for title, (host, port) in self._hospital.peers.items())
        return f"devices: {listed or 'none'}"


def _check_alone(order: str, others: Sequence[str]) -> None:
    if others:
        raise UsageError(f"{order} takes no words", advice="leave out what follows it")


def parse_peer(text: str) -> tuple[str, tuple[str, int]]:
    """Read ``AET=HOST:PORT``. Raises :class:`ConfigurationError` where it is none."""
    aet, separator, address = text.partition("=")
    if not separator:
        raise ConfigurationError(f"{text!r} is not an address", advice="write it as AET=HOST:PORT")
    remote = RemoteAE.parse(f"{aet}@{address}")
    return remote.ae_title, (remote.host, remote.port)
