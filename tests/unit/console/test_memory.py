from __future__ import annotations

from openmodality.console.memory import Asked, Contact, Memory, Notes, PageNote


def test_a_note_is_shown_once_and_to_its_session_alone() -> None:
    notes = Notes()
    notes.add("anna", PageNote("done", "sent"))
    assert notes.take("bob") == []
    assert [note.text for note in notes.take("anna")] == ["sent"]
    assert notes.take("anna") == []


def test_notes_of_sessions_that_never_come_back_do_not_pile_up() -> None:
    notes = Notes()
    for number in range(2000):
        notes.add(str(number), PageNote("done", "x"))
    assert notes.take("0") == []
    assert len(notes.take("1999")) == 1


def test_a_query_of_the_worklist_is_a_contact_with_its_peer() -> None:
    memory = Memory()
    assert (memory.asked, memory.find_contact("ris")) == (None, None)
    memory.note_asked(Asked(1.0, "ris", {}, failed="no answer", advice="look"))
    assert memory.find_contact("ris") == Contact(1.0, is_success=False, said="no answer", advice="look")
    memory.note_asked(Asked(2.0, "ris", {}, [1]))
    contact = memory.find_contact("ris")
    assert contact is not None
    assert contact.is_success
    memory.note_contact("pacs", Contact(3.0, is_success=True, said="answered in 5 ms"))
    assert memory.find_contact("pacs") is not None
