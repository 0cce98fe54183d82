"""Which simulator stands in for the scanner of a device, and its protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol, TypeVar

from openmodality.acquisition.geometry import Vector
from openmodality.acquisition.mr_protocol import QUANTITATIVE, SURVEY, MrProtocol
from openmodality.acquisition.mr_simulator import MrSimulator
from openmodality.acquisition.rf_simulator import RfSimulator
from openmodality.acquisition.source import Source
from openmodality.acquisition.xray_protocol import OTHERS, UPPER_GI
from openmodality.device.site.site import Site
from openmodality.errors import UsageError
from openmodality.value_class import dataclass

_X_RAY: Final = frozenset({"RF", "XA", "CR", "DX"})


class _Named(Protocol):
    @property
    def name(self) -> str: ...


_P = TypeVar("_P", bound=_Named)


@dataclass(frozen=True, slots=True)
class ScanChanges:
    """The changes of a person to simulated MR scans: the noise by a factor, the slices, the object."""

    noise: float | None = None
    orientation: str | Vector | None = None
    object_name: str = ""

    def __bool__(self) -> bool:
        return self != AS_PLANNED

    def change(self, protocol: MrProtocol) -> MrProtocol:
        """The protocol with these changes. Raises :class:`UsageError` where it is none then."""
        if self.noise is not None:
            protocol = replace(protocol, noise=self.noise)
        if self.orientation is not None:
            protocol = replace(protocol, orientation=self.orientation)
        return protocol


AS_PLANNED: Final = ScanChanges()


def make_simulator(
    site: Site, names: Sequence[str] = (), *, seed: int = 1, changes: ScanChanges = AS_PLANNED
) -> Source:
    """The simulator of this device with these protocols, or with those of a usual exam.

    Raises :class:`UsageError` for a protocol that it does not have, and for a device that nothing simulates.
    """
    modalities = site.profile.modalities
    if "MR" in modalities:
        chosen = _choose_protocols([*SURVEY, *QUANTITATIVE], names) if names else SURVEY
        sop_class = _find_class(site, changes.object_name) if changes.object_name else ""
        return MrSimulator([changes.change(each) for each in chosen], seed=seed, sop_class_uid=sop_class)
    if changes:
        raise UsageError("--noise, --orientation and --object are for the simulated MR scanner")
    if _X_RAY & set(modalities):
        return RfSimulator(_choose_protocols((*UPPER_GI, *OTHERS), names) or UPPER_GI, seed=seed)
    raise UsageError(
        f"there is no simulator for modality {', '.join(modalities)}", advice="take pixels from files with --from"
    )


def _find_class(site: Site, name: str) -> str:
    images = {item.name.casefold(): str(item.sop_class_uid) for item in site.profile.objects if item.modality == "MR"}
    if name.casefold() not in images:
        made = ", ".join(item.name for item in site.profile.objects if item.modality == "MR")
        raise UsageError(f"the simulator makes no {name}", advice=f"say one of {made} with --object")
    return images[name.casefold()]


def _choose_protocols(protocols: Sequence[_P], names: Sequence[str]) -> list[_P]:
    known = {protocol.name.casefold(): protocol for protocol in protocols}
    for name in names:
        if name.casefold() not in known:
            listed = ", ".join(protocol.name for protocol in protocols)
            raise UsageError(f"there is no simulated protocol {name!r}; there are: {listed}")
    return [known[name.casefold()] for name in names]
