"""Starts programs of ours without importing them anew: ``python -m tests.peers.fork_server SOCKET``.

To import a device takes two seconds, and hundreds of tests start one. This process imports everything once and then
forks: what it starts is a process of its own like any other, with its own standard streams, folder, environment and
signals. It ends as Python ends, but does not take its modules apart, which would copy all memory that it shares with
this one: eight times the work of a short command. ``tests.peers.forked`` asks for them, and this process ends when
that has gone.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
from dataclasses import dataclass
from typing import Any, Final

from openmodality.cli.main import COMMANDS, main
from openmodality.device.profile.loader import list_profile_names
from openmodality.device.site.site_loader import load_default_site
from openmodality.objects.site_objects import make_definition
from tests.peers.forked import COMMAND

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


def serve(control: socket.socket) -> Request | None:
    """Start what is asked for. Returns the request in each process that is started, and nothing in the first one."""
    ended, wakes = socket.socketpair()
    for each in (ended, wakes):
        each.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno())
    fates: dict[int, int] = {}
    with selectors.DefaultSelector() as selector, ended, wakes, control:
        for each in (ended, control):
            selector.register(each, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if ended in ready:
                ended.recv(_LENGTH)
                tell_ends(fates)
            if control not in ready:
                continue
            request = receive(control)
            if request is None:
                return None
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                return request
            fates[pid] = request.fate
            os.write(request.fate, b"%d\n" % pid)
            for number in request.streams:
                os.close(number)


def receive(control: socket.socket) -> Request | None:
    """The next request; nothing where nobody can make one any more."""
    text, numbers = b"", list[int]()
    while not text.endswith(b"\n"):
        part, more, _, _ = socket.recv_fds(control, _LENGTH, _SOME)
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
        try:
            os.write(fate, b"%d\n" % os.waitstatus_to_exitcode(status))
        except BrokenPipeError:
            pass  # nobody waits for it any more
        finally:
            os.close(fate)


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
