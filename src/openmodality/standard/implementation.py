"""Our own implementation identity (PS3.7 D.3.3.2), where a site has none of its own."""

from __future__ import annotations

from typing import Final

OWN_CLASS_UID: Final = "2.25.313475206178354410239286532541092478321"
OWN_VERSION_NAME: Final = "OPENMODALITY_01"
