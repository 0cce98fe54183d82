"""A DICOM network library: sockets, TLS and threads around the upper layer, both roles, usable alone.

These names are public and stable; docs/network.md shows them at work. They are found on first use (PEP 562), because
``openmodality echo`` starts in a tenth of a second and needs few of them.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openmodality.dimse.channel import context_for
    from openmodality.dimse.data_set import encode_data_set
    from openmodality.dimse.service import Refuse, Response, Service
    from openmodality.encoding.part10 import encode_file_head
    from openmodality.network.acceptor import Acceptor, Listening
    from openmodality.network.acceptor_policy import StorageClasses, storage_policy
    from openmodality.network.association import Association
    from openmodality.network.entity import LocalAE, RemoteAE
    from openmodality.network.requestor import associate
    from openmodality.network.storage.instances import FileInstance, read_instance
    from openmodality.network.storage.reader import InstanceReader
    from openmodality.network.storage.sending import send
    from openmodality.network.storage.sent import SendOptions, Sent
    from openmodality.network.timeouts import Timeouts
    from openmodality.services.storage import InstanceIdentity, StoreRequest, storage_service, store
    from openmodality.services.verification import VERIFICATION_SERVICE, echo
    from openmodality.upper_layer.negotiation import ContextProposal

__all__ = [
    "VERIFICATION_SERVICE",
    "Acceptor",
    "Association",
    "ContextProposal",
    "FileInstance",
    "InstanceIdentity",
    "InstanceReader",
    "Listening",
    "LocalAE",
    "Refuse",
    "RemoteAE",
    "Response",
    "SendOptions",
    "Sent",
    "Service",
    "StorageClasses",
    "StoreRequest",
    "Timeouts",
    "associate",
    "context_for",
    "echo",
    "encode_data_set",
    "encode_file_head",
    "read_instance",
    "send",
    "storage_policy",
    "storage_service",
    "store",
]

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "dimse.channel": ("context_for",),
    "dimse.data_set": ("encode_data_set",),
    "dimse.service": ("Refuse", "Response", "Service"),
    "encoding.part10": ("encode_file_head",),
    "network.acceptor": ("Acceptor", "Listening"),
    "network.association": ("Association",),
    "network.entity": ("LocalAE", "RemoteAE"),
    "network.storage.instances": ("FileInstance", "read_instance"),
    "network.storage.reader": ("InstanceReader",),
    "network.acceptor_policy": ("StorageClasses", "storage_policy"),
    "network.requestor": ("associate",),
    "network.storage.sending": ("send",),
    "network.storage.sent": ("SendOptions", "Sent"),
    "network.timeouts": ("Timeouts",),
    "services.storage": ("InstanceIdentity", "StoreRequest", "storage_service", "store"),
    "services.verification": ("VERIFICATION_SERVICE", "echo"),
    "upper_layer.negotiation": ("ContextProposal",),
}
_MODULES: Final = {name: f"openmodality.{module}" for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
