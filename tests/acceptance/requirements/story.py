"""The day of an MR device that the tests of its requirements look at: each activity, and what it said to whom."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from openmodality.exam.session import Exam
from tests.acceptance.requirements.recording import Recorded
from tests.acceptance.requirements.wiretap import Conversation
from tests.devices import add_image, quick_source


@dataclass
class Story:
    """What was said in each activity, by its name."""

    at: Recorded
    activities: dict[str, list[Conversation]] = field(default_factory=dict)
    committed_when_answered: list[tuple[int, int]] = field(default_factory=list)

    @contextlib.contextmanager
    def activity(self, name: str) -> Iterator[None]:
        """Around something that the user does; ends when all that follows from it has ended."""
        self.at.settle()
        before = len(self.at.tap.conversations)
        yield
        self.at.settle()
        self.activities[name] = self.at.tap.conversations[before:]

    @property
    def initiated(self) -> list[Conversation]:
        """All associations that the device requested."""
        return self.at.tap.to("ris", "pacs", "printer")

    @property
    def notified(self) -> list[Conversation]:
        """The associations on which a commitment result was reported."""
        return self.at.tap.to("OM_MR")

    def commands(self, name: str) -> list[str]:
        """The commands of the requests of one activity, each association for itself, in their order."""
        return [" ".join(dict.fromkeys(each.name for each in talk.asked())) for talk in self.activities[name]]


def tell(at: Recorded) -> Story:
    """Let the device do everything once."""
    story = Story(at)
    _watch_answers(story)
    steps: list[tuple[str, Callable[[], object]]] = [
        ("nothing", lambda: None),
        ("echo", lambda: at.modality.echo("pacs")),
        ("worklist", at.modality.worklist),
    ]
    for name, act in steps:
        with story.activity(name):
            act()
    _scheduled(story)
    _by_hand(story)
    return story


def _scheduled(story: Story) -> None:
    modality = story.at.modality
    item = modality.worklist_items()[0]
    exam: Exam
    with story.activity("start exam"):
        exam = modality.start_exam(item, OperatorsName="Operator^O")
    with story.activity("acquire"):
        exam.acquire(quick_source(story.at.profile))
    with story.activity("complete exam"):
        exam.complete()
    with story.activity("send by hand"):
        modality.send(exam.study_instance_uid, "pacs")
    with story.activity("commit by hand"):
        modality.commit(exam.study_instance_uid, "pacs")


def _by_hand(story: Story) -> None:
    modality = story.at.modality
    with story.activity("register"):
        exam = modality.register({"PatientID": "H1", "PatientName": "Hand^Made"})
    with story.activity("first image"):
        add_image(exam.series("T1"))
    with story.activity("discontinue exam"):
        exam.discontinue("110514")


def _watch_answers(story: Story) -> None:
    """Look into the database while the answer to a commitment result is still on its way."""

    def look(conversation: Conversation, message: object) -> None:
        name, by_requestor = getattr(message, "name", ""), getattr(message, "by_requestor", True)
        if name == "N-EVENT-REPORT" and not by_requestor:
            study = story.at.modality.studies()[0]
            story.committed_when_answered.append((study.committed, study.instances))

    story.at.tap.before_passing = look
