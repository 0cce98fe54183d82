"""The raw limit: one socket, each object read from its file, sent, written to a file, renamed, answered with one
message.

What any program must do at the least that reads, sends and keeps files one by one. ``python -m benchmarks.raw``.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

_BUFFER = 1 << 20


def receive(folder: Path, port: int) -> None:
    """Take connections one after the other."""
    with socket.create_server(("127.0.0.1", port)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _receive_all(connection, folder)


def _receive_all(connection: socket.socket, folder: Path) -> None:
    buffer = memoryview(bytearray(_BUFFER))
    number = 0
    while True:
        have = connection.recv_into(buffer)
        if not have:
            return
        left = int.from_bytes(buffer[:8], "big") - (have - 8)
        temporary = folder / f"{number}.part"
        file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        os.write(file, buffer[8:have])
        while left:
            have = connection.recv_into(buffer)
            os.write(file, buffer[:have])
            left -= have
        os.close(file)
        temporary.rename(folder / f"{number}.dcm")
        number += 1
        connection.send(b"ok")


def send(path: Path, port: int) -> None:
    """Send every file below ``path``."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    buffer = memoryview(bytearray(_BUFFER))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for name in files:
            with name.open("rb", buffering=0) as file:
                length = os.fstat(file.fileno()).st_size
                have = file.readinto(buffer)
                connection.sendmsg([length.to_bytes(8, "big"), buffer[:have]])
                while have := file.readinto(buffer):
                    connection.sendall(buffer[:have])
            connection.recv(2)


if __name__ == "__main__":
    {"receive": receive, "send": send}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
