"""What holds bytes: the type that data sets, PDUs and files are passed on in."""

from __future__ import annotations

Buffer = bytes | bytearray | memoryview
