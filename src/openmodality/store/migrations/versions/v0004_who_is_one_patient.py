"""Who is one patient: names as they are compared, and no patient for all who have no Patient ID.

The index rows of patients without Patient ID who have several studies go: the files say whose each study is, and the
next start indexes them again.
"""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

from openmodality.standard.text_rules import fold_name
from openmodality.store.rows.patients import make_identity

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KEYWORDS = (
    "PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientBirthTime", "PatientSex",
    "OtherPatientIDs", "OtherPatientNames", "EthnicGroup", "PatientComments",
)  # fmt: skip
_NAMES = ("alphabetic_name", "ideographic_name", "phonetic_name")
_MERGED = """
    SELECT patients.id FROM patients JOIN studies ON studies.patient_id = patients.id
    WHERE patients."PatientID" = '' GROUP BY patients.id HAVING count(*) > 1
"""
_OF_MERGED = f"SELECT studies.id FROM studies WHERE studies.patient_id IN ({_MERGED})"


def upgrade() -> None:
    _forget_merged()
    found = op.get_bind().execute(sa.text("SELECT * FROM patients ORDER BY id"))
    rows = [_complete(row._asdict()) for row in found]
    if op.get_bind().dialect.name == "sqlite":
        _make_anew(rows)
    else:
        _alter(rows)
    op.create_index(
        op.f("ix_patients_PatientID_patients_IssuerOfPatientID"), "patients", ["PatientID", "IssuerOfPatientID"]
    )
    for name in _NAMES:
        op.create_index(op.f(f"ix_patients_{name}"), "patients", [name])


def _forget_merged() -> None:
    merged = [row[0] for row in op.get_bind().execute(sa.text(_MERGED))]
    series = f"SELECT series.id FROM series WHERE series.study_id IN ({_OF_MERGED})"
    op.execute(f"DELETE FROM instances WHERE series_id IN ({series})")
    op.execute(f"DELETE FROM series WHERE study_id IN ({_OF_MERGED})")
    for number in merged:
        op.execute(f"DELETE FROM studies WHERE patient_id = {int(number)}")
        op.execute(f"UPDATE exams SET patient_id = NULL WHERE patient_id = {int(number)}")
        op.execute(f"DELETE FROM patients WHERE id = {int(number)}")


def _complete(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (group[:256] for group in fold_name(row["PatientName"]))
    identity = make_identity(row, _find_study(row["id"]), is_first=True)
    return {**row, **dict(zip(_NAMES, names, strict=True)), "identity": identity}


def _find_study(patient_id: int) -> str:
    statement = sa.text('SELECT "StudyInstanceUID" FROM studies WHERE patient_id = :id')
    return str(op.get_bind().execute(statement, {"id": patient_id}).scalar() or f"patient {patient_id}")


def _make_anew(rows: list[dict[str, Any]]) -> None:
    """SQLite drops no constraint; ``store.database`` migrates while foreign keys are not looked at."""
    op.drop_table("patients")
    made = op.create_table(
        "patients",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        *[sa.Column(name, sa.Text(), server_default="", nullable=False) for name in (*_KEYWORDS, *_NAMES)],
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("identity", name=op.f("uq_patients_identity")),
    )
    op.bulk_insert(made, rows)


def _alter(rows: list[dict[str, Any]]) -> None:
    op.drop_constraint(op.f("uq_patients_PatientID_IssuerOfPatientID"), "patients")
    for name in _NAMES:
        op.add_column("patients", sa.Column(name, sa.Text(), server_default="", nullable=False))
    op.add_column("patients", sa.Column("identity", sa.String(length=64), nullable=True))
    changed = ", ".join(f"{name} = :{name}" for name in (*_NAMES, "identity"))
    for row in rows:
        op.get_bind().execute(sa.text(f"UPDATE patients SET {changed} WHERE id = :id"), row)
    op.alter_column("patients", "identity", nullable=False)
    op.create_unique_constraint(op.f("uq_patients_identity"), "patients", ["identity"])
