"""What may become of a stream besides a finding."""

from __future__ import annotations

from typing import Final

ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
ABORTED: Final = "aborted"
