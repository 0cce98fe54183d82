"""UIDs of the objects that this device creates (PS3.5 9 and B.2).

A UID is made either afresh, or derived from a key that names the same thing for ever. A derived UID makes work
repeatable: the same file taken twice from a watched folder, or a step done again after a crash, gives the same
instance and not a second one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import field

from openmodality.encoding.uid import UUID_ROOT, is_valid_uid, uid_of_uuid
from openmodality.errors import ConfigurationError
from openmodality.value_class import dataclass

# With a root of its own a device appends 96 bits, at most 29 digits, which leaves 34 characters and a dot for the root.
SUFFIX_BITS = 96
MAXIMUM_ROOT_LENGTH = 34

NewUuid = Callable[[], uuid.UUID]


@dataclass(frozen=True, slots=True)
class Uids:
    """Makes UIDs under ``root``: the UUID form 2.25 (PS3.5 B.2), or a root that the maker of the device has
    registered.
    """

    root: str = UUID_ROOT
    new_uuid: NewUuid = field(default=uuid.uuid4)

    def __post_init__(self) -> None:
        if not is_valid_uid(self.root) or len(self.root) > MAXIMUM_ROOT_LENGTH:
            raise ConfigurationError(
                f"uid_root: not a UID root of at most {MAXIMUM_ROOT_LENGTH} characters",
                advice="use 2.25, or numbers without leading zeros joined by dots, registered for your organisation",
            )

    def new(self) -> str:
        """A UID that was never used before."""
        return self._uid(self.new_uuid())

    def derived(self, key: str) -> str:
        """The UID that ``key`` always gets under this root."""
        return self._uid(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.root}/{key}"))

    def __call__(self) -> str:
        return self.new()

    def _uid(self, value: uuid.UUID) -> str:
        if self.root == UUID_ROOT:
            return uid_of_uuid(value)
        return f"{self.root}.{value.int % (1 << SUFFIX_BITS)}"
