"""Starts programs of ours without importing them anew: ``python -m tests.peers.fork_server SOCKET``.

To import a device takes two seconds, and hundreds of tests start one. This process imports everything once and then
forks: what it starts is a process of its own like any other, with its own standard streams, folder, environment and
signals. It ends as Python ends, but does not take its modules apart, which would copy all memory that it shares with
this one: eight times the work of a short command. ``tests.peers.forked`` asks for them, in each process of a run of
tests, and this process ends when all of these have gone.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openmodality.cli.main import COMMANDS, main
from openmodality.device.profile.loader import list_profile_names
from openmodality.device.site.site_loader import load_default_site
from openmodality.objects.site_objects import make_definition
from tests.peers.forked import COMMAND, find_lock, hold_lock

_LENGTH: Final = 65_536
_SOME: Final = 16
"""More descriptors than come with a request."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to start, and the descriptors of its standard streams and of the pipe that tells what becomes of it."""

    name: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]
    streams: list[int]
    fate: int


class Askers:
    """The connections of those who ask: one that is given, or those that a listener takes."""

    def __init__(self, given: socket.socket, selector: selectors.BaseSelector) -> None:
        self._selector = selector
        self._listener = given if given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) else None
        self._connections = set() if self._listener else {given}
        selector.register(given, selectors.EVENT_READ)

    def find_ready(self, ready: Container[object]) -> list[socket.socket]:
        """The connections that something has come on."""
        if self._listener and self._listener in ready:
            control, _ = self._listener.accept()
            self._selector.register(control, selectors.EVENT_READ)
            self._connections.add(control)
        return [each for each in self._connections if each in ready]

    def lose(self, control: socket.socket) -> bool:
        """Forget a connection that is closed; whether that was the last one.

        Whoever comes after the last one begins another process like this.
        """
        self._selector.unregister(control)
        self._connections.remove(control)
        control.close()
        if self._connections or self._listener is None:
            return not self._connections
        place = Path(self._listener.getsockname())
        with hold_lock(place):
            if select.select([self._listener], [], [], 0)[0]:
                return False
            place.unlink(missing_ok=True)
            find_lock(place).unlink(missing_ok=True)
        return True


def serve(given: socket.socket) -> Request | None:
    """Start what is asked for. Returns the request in each process that is started, and nothing in the first one."""
    ended, wakes = socket.socketpair()
    for each in (ended, wakes):
        each.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    fates: dict[int, int] = {}
    with selectors.DefaultSelector() as selector, ended, wakes, given:
        selector.register(ended, selectors.EVENT_READ)
        askers = Askers(given, selector)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if ended in ready:
                ended.recv(_LENGTH)
                tell_ends(fates)
            for control in askers.find_ready(ready):
                request = receive(control)
                if request is None:
                    if askers.lose(control):
                        return None
                elif start(request, fates):
                    return request


def start(request: Request, fates: dict[int, int]) -> bool:
    """Start a process; whether this is it."""
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        return True
    fates[pid] = request.fate
    tell(request.fate, pid)
    for number in request.streams:
        os.close(number)
    return False


def receive(control: socket.socket) -> Request | None:
    """The next request; nothing where nobody can make one any more."""
    text, numbers = b"", list[int]()
    while not text.endswith(b"\n"):
        try:
            part, more, _, _ = socket.recv_fds(control, _LENGTH, _SOME)
        except ConnectionResetError:
            return None
        if not part:
            return None
        text += part
        numbers += more
    asked: dict[str, Any] = json.loads(text)
    return Request(**asked, streams=numbers[:3], fate=numbers[3])


def tell_ends(fates: dict[int, int]) -> None:
    """Tell who waits for them of all processes that have ended."""
    while fates:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        fate = fates.pop(pid)
        tell(fate, os.waitstatus_to_exitcode(status))
        os.close(fate)


def tell(fate: int, number: int) -> None:
    """Tell a number to who waits for a process, if anybody does."""
    with suppress(BrokenPipeError):
        os.write(fate, b"%d\n" % number)


def become(request: Request) -> None:
    """Be the program that is asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, given in enumerate(request.streams):
        os.dup2(given, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.argv[1:] = request.arguments
    sys.stdout.reconfigure(  # type: ignore[union-attr]
        line_buffering=sys.stdout.isatty() or bool(request.environment.get("PYTHONUNBUFFERED"))
    )
    if request.name == COMMAND:
        main()
    else:
        runpy.run_module(request.name, run_name="__main__", alter_sys=True)


def end(status: int) -> None:
    """End as Python does, which does it by itself where something cannot be written."""
    threading._shutdown()  # type: ignore[attr-defined]  # it waits for threads; nothing public does
    atexit._run_exitfuncs()
    gc.collect()  # a file that was left open is told of
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(status)


def import_all() -> None:
    """Import what the commands import, read what the devices make, and keep all of it from the search for garbage."""
    for module in (*(entry.module for entry in COMMANDS.values()), "openmodality.console.server"):
        importlib.import_module(module)
    for site in map(load_default_site, list_profile_names()):
        for each in site.profile.objects:
            make_definition(site, each.name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    import_all()
    given = serve(socket.socket(fileno=int(sys.argv[1])))
    if given is not None:
        try:
            become(given)
            end(0)
        except SystemExit as ended:
            if ended.code is None or isinstance(ended.code, int):
                end(ended.code or 0)
            raise
