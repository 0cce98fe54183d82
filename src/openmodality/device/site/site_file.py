"""The settings of ``site.toml``, each declared once: name, meaning, default and what is allowed.

The loader, the template of ``openmodality init`` and ``docs/site-file.md`` all come from these models. What a device
makes adjustable beyond them are the parameters of its profile, under ``[parameters]``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from openmodality.device.profile.profile_file import OptionalAETitle, SOPClass, TransferSyntaxName, UIDText
from openmodality.device.site.data_place import DEFAULT_DATA_FOLDER
from openmodality.device.site.printer_settings import PrinterSettings
from openmodality.device.site.setting_types import (
    CharacterSetText,
    DatabaseUrl,
    DateText,
    DisplayText,
    Extension,
    HostName,
    IncomingService,
    KeySwitch,
    LongText,
    NumberText,
    ParameterTables,
    PeerService,
    Port,
    SecondLook,
    Settings,
    ShortText,
    StatusCode,
    StatusOverride,
    Switch,
    Text,
    TimeText,
    WebOrigin,
    WebUrl,
    find_web_place,
)


class DeviceSettings(Settings):
    """The equipment, as it names itself in objects and associations."""

    manufacturer: LongText = Field(default="OpenModality", description="Manufacturer (0008,0070)")
    model: LongText = Field(default="", description="Manufacturer's Model Name (0008,1090); empty: the profile's title")
    serial_number: LongText = Field(default="1", min_length=1, description="Device Serial Number (0018,1000)")
    software_versions: tuple[LongText, ...] = Field(
        default=(), description="Software Versions (0018,1020); empty: the version of OpenModality"
    )
    station_name: ShortText = Field(default="", description="Station Name (0008,1010)")
    institution_name: LongText = Field(default="", description="Institution Name (0008,0080)")
    institution_address: Text = Field(default="", description="Institution Address (0008,0081)")
    department: LongText = Field(default="", description="Institutional Department Name (0008,1040)")
    physicians_of_record: LongText = Field(
        default="", description="Physician(s) of Record (0008,1048), where the worklist names none"
    )
    location: ShortText = Field(default="", description="Performed Location (0040,0243)")
    date_of_last_calibration: DateText = Field(default="", description="Date of Last Calibration (0018,1200), YYYYMMDD")
    time_of_last_calibration: TimeText = Field(default="", description="Time of Last Calibration (0018,1201), HHMMSS")
    spatial_resolution: NumberText = Field(
        default="", description="Spatial Resolution (0018,1050), the smallest distance that can be told apart, in mm"
    )
    alias: Text = Field(default="", description="short name of this device, for people")
    description: Text = Field(default="", description="what this device is, for people")
    implementation_class_uid: UIDText = Field(
        default="", description="Implementation Class UID (PS3.7 D.3.3.2); empty: OpenModality's own"
    )
    implementation_version_name: ShortText = Field(
        default="", description="Implementation Version Name (PS3.7 D.3.3.2); empty: OpenModality's own"
    )
    uid_root: UIDText = Field(
        default="", max_length=34, description="root of the UIDs made here; empty: UUID-derived, under 2.25"
    )
    character_sets: tuple[CharacterSetText, ...] = Field(
        default=(),
        description="values of Specific Character Set (0008,0005) for objects made here, tried in this order; "
        "empty: the profile's. A backslash joins the terms of a multi-valued one, ISO_IR 192 is UTF-8",
    )


class NetworkSettings(Settings):
    """How the device is reached."""

    host_name: Text = Field(
        default="", description="name under which peers reach this device; `serve` tells it to people"
    )
    bind_address: Text = Field(default="0.0.0.0", description="IP address on which it listens; 0.0.0.0 is all of them")
    accept_any_called_ae_title: Switch = Field(
        default=False, description="accept associations that call another AE title than ours"
    )
    transfer_syntaxes: tuple[TransferSyntaxName, ...] = Field(
        default=(),
        description="order in which a transfer syntax is chosen as acceptor; empty: the profile's order",
    )


class ApplicationEntitySettings(Settings):
    """A local AE; its name in the site file is a role of the profile."""

    ae_title: OptionalAETitle = Field(default="", description="AE title of this AE; empty: the profile's")
    port: Port | None = Field(default=None, description="TCP port on which it listens; without it the profile's")
    tls: Switch | None = Field(default=None, description="whether it takes TLS only; without it as [tls] enabled says")


class DataSettings(Settings):
    """Where instances and the database are kept."""

    folder: Text = Field(
        default=DEFAULT_DATA_FOLDER, min_length=1, description="folder of the data, from the site file's folder on"
    )
    durability: Literal["fsync", "os"] = Field(
        default="fsync",
        description="when a file is safe; fsync: on disk before it is acknowledged; os: the operating system decides",
    )
    database: DatabaseUrl = Field(
        default="", description="URL of a PostgreSQL database; empty: SQLite in the data folder"
    )


class MediaSettings(Settings):
    """Discs and other media."""

    burn_command: Text = Field(
        default="xorriso -as cdrecord dev={device} {image}",
        description="program that writes an image to a disc; {device} and {image} stand for its drive and its file",
    )
    folder: Text = Field(
        default="media",
        min_length=1,
        description="where the console makes discs and their images, from the site file's folder on",
    )
    drives: tuple[Text, ...] = Field(
        default=(), description="drives that burn discs, for the console, such as '/dev/sr0'"
    )
    readers: tuple[Text, ...] = Field(
        default=(), description="where discs and sticks are mounted that the console may read, such as '/media/cdrom'"
    )


class ConsoleSettings(Settings):
    """The operator's web console."""

    enabled: Switch = Field(default=True, description="whether the console is served")
    host: HostName = Field(
        default="127.0.0.1",
        min_length=1,
        description="address on which the console is served; beyond this machine only under TLS",
    )
    port: Port = Field(default=11180, description="TCP port of the console")
    allowed_hosts: tuple[HostName, ...] = Field(
        default=(),
        description="names and addresses by which browsers may call the console, beside those of this machine, "
        "console.host and network.host_name",
    )
    certificate: Text = Field(
        default="", description="certificate of the console (PEM), with those between it and the CA; empty: no TLS"
    )
    private_key: Text = Field(default="", description="private key of that certificate (PEM)")
    insecure: Switch = Field(
        default=False, description="serve the console beyond this machine without TLS; passwords go in the clear"
    )
    cors_origins: tuple[WebOrigin, ...] = Field(
        default=(),
        description="other web pages that may read this device over DICOMweb, with a token: their origins, such as "
        "https://viewer.example",
    )
    ohif_folder: Text = Field(
        default="",
        description="folder of an unpacked OHIF viewer (npm's @ohif/app), served at /ohif; empty: there is none",
    )
    identity_check: SecondLook = Field(
        default="type",
        description="second look at who the patient is, before an exam starts; scan: the wristband's Patient ID or "
        "accession number; type: the year of birth or the last 3 characters of the Patient ID; confirm: a tick",
    )
    simulator: Switch = Field(
        default=False, description="offer the simulator as a source of pixels: its images are of nobody"
    )
    pixel_folder: Text = Field(
        default="",
        description="folder out of which operators may take pixels into an exam, from the site file's folder on; "
        "empty: none",
    )
    emergency_start: Switch = Field(
        default=False,
        description="let an emergency exam be started without login, from this machine alone; whoever does so sees "
        "nothing",
    )
    display_lut: DisplayText = Field(
        default="srgb",
        description="how screens show grey; srgb: P-values as they are; gsdf:LEAST,GREATEST: by the GSDF (PS3.14) on "
        "an sRGB screen whose black and white have these luminances in cd/m2, gsdf:0.8,250; else a file with a "
        "measured luminance a line for 256 levels, or for fewer at equal distances, from the darkest on",
    )
    idle_minutes: int = Field(
        default=30, ge=1, le=1440, strict=True, description="minutes without a request after which a session ends"
    )
    session_hours: int = Field(
        default=12, ge=1, le=168, strict=True, description="hours after which a session ends in any case"
    )


class AuditSettings(Settings):
    """The audit repository that the audit trail is delivered to (PS3.15 A.6, A.7); the trail itself is always kept."""

    enabled: Switch = Field(default=False, description="whether the audit trail is delivered to an audit repository")
    host: HostName = Field(default="127.0.0.1", min_length=1, description="host name or IP address of the repository")
    port: Port = Field(default=6514, description="port of the repository; 6514 is that of syslog over TLS, 514 of UDP")
    transport: Literal["tls", "tcp", "udp"] = Field(
        default="tls",
        description="tls: RFC 5425 with the certificates of [tls]; tcp and udp (RFC 5426) go in the clear, and of "
        "what goes by udp nobody knows whether it has come",
    )
    message_id: Literal["DICOM+RFC3881", "IHE+RFC-3881"] = Field(
        default="DICOM+RFC3881", description="MSGID of the syslog messages"
    )
    timeout_s: int = Field(
        default=15, ge=1, le=300, strict=True, description="seconds that the repository gets for each step"
    )
    retry_s: int = Field(
        default=300,
        ge=5,
        le=3600,
        strict=True,
        description="longest pause in seconds before a delivery that failed is tried again; the first ones are shorter",
    )


class TlsSettings(Settings):
    """Secure connections (PS3.15 Annex B); files are PEM, from the site file's folder on."""

    enabled: Switch = Field(default=False, description="TLS for every AE and peer that does not say otherwise")
    certificate: Text = Field(default="", description="our certificate, with those between it and the CA")
    private_key: Text = Field(default="", description="private key of our certificate")
    passphrase_file: Text = Field(default="", description="file with the passphrase of the private key, if it has one")
    passphrase_credential: Text = Field(
        default="",
        description="the same as a credential of systemd: its name in LoadCredential= or LoadCredentialEncrypted=",
    )
    ca_certificates: Text = Field(default="", description="certificates of the CAs that we trust")
    revocation_lists: Text = Field(
        default="",
        description="certificate revocation lists (CRL) of those CAs: a certificate on one is refused, and so is each "
        "of a CA whose list is missing or out of date; empty: nobody looks for it",
    )
    expiry_warning_days: int = Field(
        default=30,
        ge=0,
        le=3650,
        strict=True,
        description="days before the end of a certificate or a revocation list from which on the log warns of it; 0: "
        "only after its end",
    )
    require_client_certificate: Switch = Field(
        default=True, description="refuse a requestor that shows no valid certificate"
    )
    allow_legacy_tls: Switch = Field(
        default=False, description="allow TLS 1.0 and 1.1 and the older cipher suites of the statement"
    )
    cipher_suites: tuple[Text, ...] = Field(
        default=(),
        description="cipher suites by their OpenSSL names, the preferred one first; empty: those of the profile",
    )


class PeerSettings(Settings):
    """A remote AE; its name in the site file is how commands and the console call it."""

    ae_title: OptionalAETitle = Field(description="AE title of the peer")
    host: HostName = Field(min_length=1, description="host name or IP address")
    port: Port = Field(description="TCP port")
    url: WebUrl = Field(
        default="",
        description="URL of a DICOMweb service, such as https://archive.example/dicom-web: instances are sent there by "
        "STOW-RS. It stands in place of AE title, host and port",
    )
    user: Text = Field(default="", description="our name at that service (basic authentication)")
    password_file: Text = Field(default="", description="file with the password of that name")
    token_file: Text = Field(default="", description="file with the token that is shown to that service")
    alias: Text = Field(default="", description="short name of the peer, for people")
    description: Text = Field(default="", description="what the peer is, for people")
    services: tuple[PeerService, ...] = Field(default=(), description="what this device asks from the peer")
    incoming: tuple[IncomingService, ...] | None = Field(
        default=None,
        description="what the peer may ask from this device; without it verification and what its services need: "
        "notifications for storage_commitment, storage for query_retrieve",
    )
    sop_classes: tuple[SOPClass, ...] = Field(
        default=(), description="SOP classes negotiated with the peer, by keyword or UID; empty: all of the profile"
    )
    transfer_syntaxes: tuple[TransferSyntaxName, ...] = Field(
        default=(),
        description="transfer syntaxes proposed to the peer, the preferred one first; empty: as the parameters say",
    )
    calling_ae_title: OptionalAETitle = Field(
        default="", description="AE title that we use towards the peer; empty: that of the AE in question"
    )
    query_model: Literal["study", "patient"] = Field(default="study", description="root of queries and retrieves")
    print_color: Literal["grayscale", "color"] = Field(default="grayscale", description="kind of print management")
    automatic_commitment: Switch = Field(
        default=False, description="ask for storage commitment after each send job; for peers that are archives"
    )
    enhanced_or_classic: Switch = Field(
        default=False,
        description="send enhanced images only where the peer accepts them, else the classic series of the same "
        "frames; never both of one study. Without it what the peer does not accept is not sent",
    )
    commitment_same_association: Switch = Field(
        default=False, description="wait for the commitment's notification on the association of the request"
    )
    role_selection_required: Switch = Field(
        default=False, description="refuse notifications where the peer does not negotiate its role (PS3.4 J.3.3)"
    )
    max_associations: int = Field(
        default=0,
        ge=0,
        le=999,
        strict=True,
        description="associations the peer may have open with us; 0: as many as all",
    )
    assumed_character_set: CharacterSetText = Field(
        default="", description="character set of worklist items that declare none"
    )
    tls: Switch | None = Field(default=None, description="TLS towards the peer; without it as [tls] enabled says")
    worklist_keys: dict[str, KeySwitch] = Field(
        default_factory=dict,
        description="worklist keys by path: send as the profile does, return (ask, but never match), or omit",
    )
    statuses: dict[StatusCode, StatusOverride] = Field(
        default_factory=dict, description='what a status of this peer means, such as "0111" = "success"'
    )
    parameters: ParameterTables = Field(
        default_factory=dict, description="parameters of the device that are others for this peer, by group"
    )

    @model_validator(mode="before")
    @classmethod
    def _take_address_of_url(cls, given: Any) -> Any:
        """A peer of DICOMweb has no AE title; where it is stands in its URL."""
        if not isinstance(given, dict) or not given.get("url"):
            return given
        if own := sorted({"ae_title", "host", "port", "tls"} & given.keys()):
            raise ValueError(f"url stands in place of {', '.join(own)}: leave one or the other out")
        return {"ae_title": "", **find_web_place(str(given["url"])), **given}

    @model_validator(mode="after")
    def _fits_kind(self) -> PeerSettings:
        if not self.url:
            if not self.ae_title:
                raise ValueError("ae_title is empty")
            if self.user or self.password_file or self.token_file:
                raise ValueError("user, password_file and token_file are for a peer with url")
        elif bool(self.user) != bool(self.password_file) or (self.user and self.token_file):
            raise ValueError("a url takes user and password_file, or token_file, or none of them")
        return self


class EnhancedSettings(Settings):
    """Enhanced MR Images, of which one holds all frames of an acquisition."""

    protocols: tuple[Text, ...] = Field(
        default=(),
        description="protocols whose MR images are made as Enhanced MR Images where nobody names an object, by "
        "Protocol Name or description of the series; * and ? stand for any characters, such as 'DWI*'",
    )
    concatenation_mb: int = Field(
        default=1000,
        ge=1,
        le=4000,
        strict=True,
        description="largest pixel data of an instance in megabytes; what is larger becomes a concatenation",
    )


class MappingSettings(Settings):
    """A mapping of a worklist attribute, in place of the profile's rules for the same targets (R/F Table 8.1-29)."""

    worklist: str = Field(default="", description="path of the worklist attribute; empty: the targets get no value")
    image: str = Field(default="", description="path in images")
    mpps: str = Field(default="", description="path in the performed procedure step")

    @model_validator(mode="after")
    def _has_target(self) -> MappingSettings:
        if not self.image and not self.mpps:
            raise ValueError("a mapping needs an image path or an mpps path")
        return self


class DetectorSettings(Settings):
    """The maps of an X-ray detector whose raw pixels are taken."""

    name: ShortText = Field(min_length=1, description="what the detector is called")
    offset: str = Field(default="", description="file of the pixels without radiation, which are taken off")
    gain: str = Field(default="", description="file of the pixels in an even field, less the offset")
    defects: str = Field(default="", description="file of pixels that are not 0 where one is defective")
    date: str = Field(
        default="", pattern=r"^(\d{4}-\d{2}-\d{2})?$", max_length=10, description="when the maps were made: YYYY-MM-DD"
    )


class SiteFile(Settings):
    """site.toml as a whole."""

    profile: str = Field(min_length=1, description="the device: mr, rf, or a profile folder from the site file's on")
    extensions: tuple[Extension, ...] = Field(
        default=(),
        description="what goes beyond the statement; c_get: C-GET as SCP, for peers that may query and retrieve, "
        "and as SCU (retrieve --get)",
    )
    device: DeviceSettings = DeviceSettings()
    network: NetworkSettings = NetworkSettings()
    application_entities: dict[str, ApplicationEntitySettings] = Field(
        default_factory=dict, description="local AEs by role"
    )
    data: DataSettings = DataSettings()
    media: MediaSettings = MediaSettings()
    enhanced: EnhancedSettings = EnhancedSettings()
    console: ConsoleSettings = ConsoleSettings()
    audit: AuditSettings = AuditSettings()
    tls: TlsSettings = TlsSettings()
    parameters: ParameterTables = Field(default_factory=dict, description="parameters of the device, by group")
    peers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], PeerSettings] = Field(
        default_factory=dict, description="remote AEs by name"
    )
    printers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")], PrinterSettings] = Field(
        default_factory=dict, description="film printers by name"
    )
    mapping: tuple[MappingSettings, ...] = Field(default=(), description="changes of the attribute mapping")
    detector: tuple[DetectorSettings, ...] = Field(default=(), description="X-ray detectors with their maps")
