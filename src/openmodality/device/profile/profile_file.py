"""The file ``profile.toml``: a device's name, titles, AE titles and objects; the rest of a profile is tables."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

from openmodality.encoding.uid import is_valid_uid
from openmodality.standard.text_rules import AE_TITLE_RULE, is_ae_title
from openmodality.standard.value_lengths import MAX_CHARACTERS

TransferSyntaxName: TypeAlias = Literal["ImplicitVRLittleEndian", "ExplicitVRLittleEndian", "ExplicitVRBigEndian"]


def require_ae_title(title: str) -> str:
    """``title`` where it is an AE title without blanks at its ends."""
    if not is_ae_title(title) or title != title.strip():
        raise ValueError(f"an AE title has {AE_TITLE_RULE}, no blanks at its ends")
    return title


def require_uid(uid: str) -> str:
    """``uid`` where it is empty or a UID: digits and points, at most 64, no leading zeros (PS3.5 9.1)."""
    if uid and not is_valid_uid(uid):
        raise ValueError("a UID has at most 64 digits and points, and no part starts with 0")
    return uid


def find_sop_class_uid(text: str) -> UID:
    """The SOP class of a keyword (``MRImageStorage``) or UID of PS3.6."""
    if text in UID_dictionary:
        return UID(text)
    for uid, entry in UID_dictionary.items():
        if entry[4] == text and entry[1] in ("SOP Class", "Meta SOP Class"):
            return UID(uid)
    raise ValueError("is neither the keyword nor the UID of a SOP class of PS3.6")


def _allow_no_ae_title(title: str) -> str:
    return require_ae_title(title) if title else title


OptionalAETitle: TypeAlias = Annotated[str, AfterValidator(_allow_no_ae_title)]
AETitle: TypeAlias = Annotated[str, AfterValidator(require_ae_title)]
SOPClass: TypeAlias = Annotated[str, AfterValidator(find_sop_class_uid)]
UIDText: TypeAlias = Annotated[str, AfterValidator(require_uid)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ApplicationEntityTable(_Table):
    """A ``[[application_entities]]`` of profile.toml."""

    role: str = Field(pattern=r"^[a-z_]+$")
    ae_title: AETitle
    port: int | None = Field(default=None, ge=1, le=65535)
    statement_port: int | None = Field(default=None, ge=1, le=65535)


class ObjectTable(_Table):
    """An ``[[objects]]`` of profile.toml."""

    name: str = Field(min_length=1)
    sop_class: SOPClass
    modality: str = Field(pattern=r"^[A-Z0-9]{2,16}$")


class ProfileFile(_Table):
    """profile.toml as a whole."""

    name: str = Field(pattern=r"^[a-z0-9_-]+$")
    title: str = Field(min_length=1)
    statement: str
    application: str = ""
    extends: Literal["", "base"] = ""
    modalities: tuple[str, ...] = Field(min_length=1)
    implementation_class_uid: UIDText = ""
    implementation_version_name: str = Field(default="", max_length=MAX_CHARACTERS["SH"])
    character_sets: tuple[str, ...] = ("",)
    acceptor_transfer_syntaxes: tuple[TransferSyntaxName, ...] = Field(
        default=("ExplicitVRLittleEndian", "ImplicitVRLittleEndian"), min_length=1
    )
    equipment_examples: dict[str, str] = Field(default_factory=dict)
    application_entities: tuple[ApplicationEntityTable, ...] = Field(min_length=1)
    objects: tuple[ObjectTable, ...] = ()
