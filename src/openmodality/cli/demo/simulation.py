"""Which simulator stands in for the scanner of a device, and its protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

from openmodality.acquisition.mr_simulator import SURVEY, MrSimulator
from openmodality.acquisition.rf_simulator import RfSimulator
from openmodality.acquisition.source import Source
from openmodality.acquisition.xray_protocol import OTHERS, UPPER_GI
from openmodality.device.site.site import Site
from openmodality.errors import UsageError

_X_RAY: Final = frozenset({"RF", "XA", "CR", "DX"})


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_P = TypeVar("_P", bound=_Named)


def simulator(site: Site, names: Sequence[str] = (), *, seed: int = 1) -> Source:
    """The simulator of this device with these protocols, or with those of a usual examination.

    Raises :class:`UsageError` for a protocol that it does not have, and for a device that nothing simulates.
    """
    modalities = site.profile.modalities
    if "MR" in modalities:
        return MrSimulator(_choose_protocols(SURVEY, names) or SURVEY, seed=seed)
    if _X_RAY & set(modalities):
        return RfSimulator(_choose_protocols((*UPPER_GI, *OTHERS), names) or UPPER_GI, seed=seed)
    raise UsageError(
        f"there is no simulator for modality {', '.join(modalities)}", advice="take pixels from files with --from"
    )


def _choose_protocols(protocols: Sequence[_P], names: Sequence[str]) -> list[_P]:
    known = {protocol.name.casefold(): protocol for protocol in protocols}
    for name in names:
        if name.casefold() not in known:
            listed = ", ".join(protocol.name for protocol in protocols)
            raise UsageError(f"there is no simulated protocol {name!r}; there are: {listed}")
    return [known[name.casefold()] for name in names]
