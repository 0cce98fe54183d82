"""A device that is killed with SIGKILL: no act without its row, no row without its act, and the chain is whole."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from openmodality.store.database import open_database
from openmodality.store.listing.audit import AuditSearch, find_audit_rows, verify_chain
from tests.peers.process import wait_until

_PROGRAM = """
import sys
from openmodality.audit.chain import AuditEntry
from openmodality.store.database import open_database
from openmodality.store.states import Subject

database = open_database(sys.argv[1], durability="os")
number = 0
while True:
    number += 1
    with database.write() as transaction:
        transaction.add_event(Subject.STORE, f"{sys.argv[2]}-{number}", "act")
        transaction.add_audit(AuditEntry(transaction.now, "query", 0, f"{sys.argv[2]}-{number}", "", "<AuditMessage/>"))
    if number == 3:
        print("writing", flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_acts_and_rows_are_the_same_after_a_kill_of_two_processes(tmp_path: Path, seed: int) -> None:
    url = f"sqlite:///{tmp_path / 'test.db'}"
    open_database(url, durability="os").close()
    command = [sys.executable, "-c", _PROGRAM, url]
    processes = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("one", "two")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
    target = 20 + random.Random(seed).randrange(40)
    database = open_database(url, durability="os")
    wait_until(lambda: database.last_event() >= target, timeout_s=30, what="acts")
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
    with database.write() as transaction:
        acts = {row["subject_id"] for row in transaction.rows("SELECT subject_id FROM events")}
        rows = find_audit_rows(transaction, AuditSearch())
        chain = verify_chain(transaction)
    assert {row.entry.users for row in rows} == acts
    assert (chain.rows, chain.broken_at) == (len(acts), 0)
    assert {name.partition("-")[0] for name in acts} == {"one", "two"}
    database.close()
