"""A device whose audit trail goes to the virtual hospital's audit repository, under TLS with certificates of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from openmodality import Modality
from openmodality.hospital.addresses import Endpoint
from openmodality.hospital.audit_repository import AuditRepository
from openmodality.hospital.certificates import AUTHORITY, DEVICE
from openmodality.hospital.hospital import Habits
from openmodality.store.states import JobKind, JobState
from tests.acceptance.hospital_site import Place, in_hospital
from tests.peers.process import free_port


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """A device, its hospital and the hospital's audit repository."""

    place: Place
    repository: AuditRepository

    @property
    def site(self) -> Path:
        """The site file."""
        return self.place.site

    @property
    def kinds(self) -> list[str]:
        """What the repository has got, in its order."""
        return [message.kind for message in self.repository.messages]

    def misbehave(self, *texts: str) -> None:
        """Let the repository misbehave, such as ``audit-drop@1``."""
        self.place.hospital.misbehave(*texts)

    def set(self, **settings: object) -> None:
        """Change the settings of delivery."""
        before, table, rest = self.site.read_text(encoding="utf-8").partition("[audit]\n")
        lines, end, after = rest.partition("\n[")
        for name, value in settings.items():
            shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
            kept = [line for line in lines.splitlines() if not line.startswith(f"{name} = ")]
            lines = "\n".join([f"{name} = {shown}", *kept])
        text = f"{before}{table}{lines}{end}{after}"
        self.site.write_text(text, encoding="utf-8")


@contextmanager
def in_audited_hospital(folder: Path, profile: str = "mr", *, tls: bool = True) -> Iterator[AuditPlace]:
    """The hospital with its audit repository, and a site file that delivers to it."""
    habits = Habits(audit=Endpoint("OM_AUDIT", free_port()), audit_tls=tls)
    with in_hospital(folder, profile, habits) as place:
        repository = place.hospital.audit
        assert repository is not None
        keys = folder / "hospital" / "audit" / "tls"
        certificate, key = (keys / name for name in DEVICE)
        audit = [
            "[audit]",
            "enabled = true",
            f'transport = "{"tls" if tls else "tcp"}"',
            f"port = {repository.port}",
            "timeout_s = 15",
            "retry_s = 5",
        ]
        secure = ["[tls]", f'certificate = "{certificate}"', f'private_key = "{key}"']
        secure.append(f'ca_certificates = "{keys / AUTHORITY}"')
        text = place.site.read_text(encoding="utf-8")
        for table, lines in (("[audit]", audit), ("[tls]", secure)):
            assert f"\n{table}\n" in text
            text = text.replace(f"\n{table}\n", "\n" + "\n".join(lines) + "\n", 1)
        place.site.write_text(text, encoding="utf-8")
        yield AuditPlace(place, repository)


def is_delivered(modality: Modality) -> bool:
    """Whether the repository has all that is on record, and no delivery is under way."""
    jobs = modality.jobs.list(kinds=[JobKind.AUDIT], states=[JobState.TODO, JobState.DOING])
    return not jobs and not modality.audit.read_state().backlog
