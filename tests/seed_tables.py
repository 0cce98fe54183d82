"""The tables of the two conformance statements beside those that the devices print: each row as a key of texts.

The left side is ``tests/data/spec``; the right side is the JSON of the printed statement. A row has the facts that both
say, in one form.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

SPEC = Path(__file__).parent / "data" / "spec"

Row = tuple[str, ...]
Json = Mapping[str, Any]
Side = Callable[[Json], Iterable[Row]]
SeedRow = Mapping[str, str]
Seed = Callable[[SeedRow], Iterable[Row]]


def read_seed(name: str) -> list[dict[str, str]]:
    with (SPEC / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def join_sorted(uids: Iterable[str]) -> str:
    return " ".join(sorted(uids))


_ENTITIES = {
    "Storage SCU": "storage", "Storage Commitment SCU": "storage_commitment", "MWM SCU": "worklist",
    "MPPS SCU": "mpps", "Q/R SCU": "query_retrieve", "Storage SCP": "storage_scp", "Print SCU": "print",
    "RDSR SCU": "dose_sr", "Verification SCU": "verification",
}  # fmt: skip


def seed_mr_context(row: SeedRow) -> Iterator[Row]:
    """Each activity of the statement may propose all of the contexts; the device proposes what it needs (MR 4)."""
    direction = "accepted" if row["section"].startswith("3.3") else "proposed"
    syntaxes = join_sorted(row["transfer_syntaxes"].split())
    yield (direction, row["role"], row["sop_class_uid"], syntaxes, row["role_selection"])


def seed_rf_context(row: SeedRow) -> Iterator[Row]:
    syntaxes = join_sorted(row["transfer_syntaxes"].split())
    yield (row["direction"], row["role"], row["sop_class_uid"], syntaxes, _ENTITIES[row["ae"]])


def list_mr_contexts(stated: Json) -> Iterator[Row]:
    for row in stated["presentation_contexts"]:
        syntaxes, selects = join_sorted(row["transfer_syntaxes"]), "yes" if row["negotiates_role"] else "no"
        yield (row["direction"], row["role"], row["sop_class_uid"], syntaxes, selects)


def list_rf_contexts(stated: Json) -> Iterator[Row]:
    for row in stated["presentation_contexts"]:
        syntaxes = join_sorted(row["transfer_syntaxes"])
        yield (row["direction"], row["role"], row["sop_class_uid"], syntaxes, row["ae"])


def seed_mr_query_key(row: SeedRow) -> Iterator[Row]:
    yield (row["tag"], row["keyword"], row["direction"], row["model"], row["level"], row["type"])


def list_mr_query_keys(stated: Json) -> Iterator[Row]:
    for row in stated["query_keys"]:
        yield (row["path"], row["keyword"], row["role"], row["model"], row["level"], row["type"])


def seed_rf_query_key(row: SeedRow) -> Iterator[Row]:
    level = row["level"].replace("INSTANCE", "IMAGE")
    yield (row["tag"], row["keyword"], level, "unique" if row["matching"] == "UNIQUE" else "")


def list_rf_query_keys(stated: Json) -> Iterator[Row]:
    for row in stated["query_keys"]:
        assert (row["role"], row["model"]) == ("SCU", "STUDY")
        yield (row["path"], row["keyword"], row["level"], "unique" if row["type"] == "U" else "")


def seed_mr_worklist_key(row: SeedRow) -> Iterator[Row]:
    if row["kind"] == "search":
        yield (row["path"], row["keyword"], "matched", row["user_configurable"].lower())
    else:
        yield (row["path"], row["keyword"], "returned")


def list_mr_worklist_keys(stated: Json) -> Iterator[Row]:
    for row in stated["worklist_keys"]:
        yield (row["path"], row["keyword"], "returned")
        if set(row["matching"]) - {"U"}:
            yield (row["path"], row["keyword"], "matched", "yes" if row["configurable"] else "no")


def seed_rf_worklist_key(row: SeedRow) -> Iterator[Row]:
    matching = row["matching"].strip("()")  # in brackets: the user may ask for all
    yield (row["path"], row["keyword"], row["vr"], matching, "displayed" if row["displayed"] else "")
    if row["copied_to_iod"]:
        yield (row["path"], row["keyword"], "copied")


def list_rf_worklist_keys(stated: Json) -> Iterator[Row]:
    for row in stated["worklist_keys"]:
        matching = "R" if "R" in row["matching"] else "".join(row["matching"]).replace("U", "")
        yield (row["path"], row["keyword"], row["vr"], matching, "displayed" if row["displayed"] else "")
        if row["images"]:
            yield (row["path"], row["keyword"], "copied")


_OPERATIONS = {
    "Table 4.2-7": ("received", "storage", ("C-STORE",)),
    "Table 4.2-16": ("received", "storage_commitment", ("N-ACTION",)),
    "Table 4.2-20": ("received", "storage_commitment", ("N-EVENT-REPORT event",)),
    "Table 4.2-21": ("returned", "storage_commitment", ("N-EVENT-REPORT",)),
    "Table 4.2-28": ("received", "worklist", ("C-FIND",)),
    "Table 4.2-37": ("received", "mpps", ("N-CREATE", "N-SET")),
    "Table 4.2-46": ("received", "query", ("C-FIND",)),
    "Table 4.2-49": ("received", "retrieve", ("C-MOVE",)),
    "Table 4.2-57": ("returned", "storage", ("C-STORE",)),
    "Table 4.2-67": ("received", "print", ("N-GET Printer",)),
    "Table 4.2-68": ("received", "print", ("N-EVENT-REPORT Printer event",)),
    "Table 4.2-69": ("returned", "print", ("N-EVENT-REPORT",)),
    "Table 4.2-71": ("received", "print", ("N-CREATE Film Session",)),
    "Table 4.2-72": ("received", "print", ("N-DELETE Film Session",)),
    "Table 4.2-74": ("received", "print", ("N-CREATE Film Box",)),
    "Table 4.2-75": ("received", "print", ("N-ACTION Film Box",)),
    "Table 4.2-77": ("received", "print", ("N-SET Image Box",)),
    "Table 4.2-84": ("received", "verification", ("C-ECHO",)),
}


def seed_rf_status(row: SeedRow) -> Iterator[Row]:
    kind, service, operations = _OPERATIONS[row["table"]]
    for operation in operations:
        aborts = row["aborts"] if kind == "received" else ""
        yield (row["code"], operation, service, kind, aborts)


def list_statuses(stated: Json) -> Iterator[Row]:
    for row in stated["statuses"]:
        yield (row["code"], row["operation"], row["service"], "received", "yes" if row["aborts"] else "no")
    for row in stated["answers"]:
        yield (row["code"], row["operation"], row["service"], "returned", "")


def seed_mr_status(row: SeedRow) -> Iterator[Row]:
    category = {"Refused": "Failure", "Failed": "Failure"}.get(row["status_class"], row["status_class"])
    yield (row["code"], row["operation"], category)


def list_mr_answers(stated: Json) -> Iterator[Row]:
    for row in stated["answers"]:
        if row["service"] != "print":  # the statement has none of the print AE
            yield (row["code"], row["operation"], row["category"])


def seed_rf_failure(row: SeedRow) -> Iterator[Row]:
    service = {"Q/R SCU (C-FIND)": "query", "Q/R SCU (C-MOVE)": "retrieve"}.get(row["ae"]) or _ENTITIES[row["ae"]]
    yield (service, row["failure"], row["aborts"], row["marks"])


def list_failures(stated: Json) -> Iterator[Row]:
    for row in stated["failures"]:
        yield (row["service"], row["failure"], "yes" if row["aborts"] else "no", row["ends"])


def seed_rejection(row: SeedRow) -> Iterator[Row]:
    yield (row["result"], row["source"], row["reason"], row["reason_name"])


def list_rejections(stated: Json) -> Iterator[Row]:
    for row in stated["rejections"]:
        yield (str(row["result"]), str(row["source"]), str(row["reason"]), row["reason_name"])


def seed_mr_print(row: SeedRow) -> Iterator[Row]:
    yield (row["path"], row["keyword"], row["sop_class"], row["dimse"])


def list_mr_print(stated: Json) -> Iterator[Row]:
    for row in stated["print_attributes"]:
        yield (row["path"], row["keyword"], row["sop_class"], row["operation"])
    for row in stated["statuses"]:  # operations without attributes
        operation, _, sop_class = row["operation"].partition(" ")
        if row["service"] == "print" and operation in ("N-ACTION", "N-DELETE"):
            yield ("", "", f"Basic {sop_class}", operation)


def seed_rf_print(row: SeedRow) -> Iterator[Row]:
    presence = "" if row["operation"] == "N-GET" else row["presence"]
    yield (row["path"], row["keyword"], row["sop_class"], row["operation"], row["vr"], presence)


def list_rf_print(stated: Json) -> Iterator[Row]:
    for row in stated["print_attributes"]:
        yield (row["path"], row["keyword"], row["sop_class"], row["operation"], row["vr"], row["presence"])


def seed_mr_step(row: SeedRow) -> Iterator[Row]:
    types = (row["ncreate_scu"], row["nset_scu"], row["final_state"])
    yield (row["path"], row["keyword"], *(each.replace("Not allowed", "") for each in types))


def list_mr_step(stated: Json) -> Iterator[Row]:
    for row in stated["performed_step"]:
        yield (row["path"], row["keyword"], row["n_create"], row["n_set"], row["final"])


def seed_rf_step(row: SeedRow) -> Iterator[Row]:
    for operation in ("ncreate", "nset"):
        yield (row["path"], row["keyword"], operation, row[operation])


def list_rf_step(stated: Json) -> Iterator[Row]:
    for row in stated["performed_step"]:
        for operation, member in (("ncreate", "n_create"), ("nset", "n_set")):
            word = {"": "", "EMPTY": "zero"}.get(row[member], "sent")
            yield (row["path"], row["keyword"], operation, word)


# Objects

SCOPES = {
    "MR": "MR Image", "EnhancedMR": "Enhanced MR Image", "SC": "SC Image",
    "GSPS": "Grayscale Softcopy Presentation State", "KO": "Key Object Selection Document",
}  # fmt: skip


def seed_mr_attribute(row: SeedRow) -> Iterator[Row]:
    if row["path"]:
        yield (row["path"], _name_standard(row))


def list_mr_attributes(stated: Json) -> Iterator[Row]:
    for module in stated["modules"]:
        yield from ((row["path"], _name_standard(row)) for row in module["attributes"])


def _name_standard(row: Mapping[str, Any]) -> str:
    """The keyword; a private attribute has none."""
    group = row["path"].rpartition(">")[2].partition(",")[0]
    return "" if int(group, 16) % 2 else str(row["keyword"])


def list_types(stated: Json) -> dict[tuple[str, str], set[str]]:
    """The types that an attribute has in the modules of an object, by object and path."""
    found: dict[tuple[str, str], set[str]] = {}
    for module in stated["modules"]:
        for row in module["attributes"]:
            for name in row["objects"]:
                found.setdefault((name, row["path"]), set()).add(row["presence"])
    return found


def seed_rf_attribute(row: SeedRow) -> Iterator[Row]:
    yield (row["path"], row["keyword"], row["module"], row["vr"], row["presence"])
    yield from ((row["path"], row["keyword"], row["module"], "from", source) for source in row["source"].split("/"))


def list_rf_attributes(stated: Json) -> Iterator[Row]:
    for module in stated["modules"]:
        for row in module["attributes"]:
            yield (row["path"], row["keyword"], module["name"], row["vr"], row["presence"])
            for source in row["sources"]:  # AUTO of the statement is all that nobody types: the acquisition too
                origin = source.replace("ACQ", "AUTO")
                yield (row["path"], row["keyword"], module["name"], "from", origin)


def seed_rf_module(row: SeedRow) -> Iterator[Row]:
    yield (row["iod"], row["ie"], row["module"].replace("X-ray", "X-Ray"), row["presence"], row["usage"])


def list_modules(stated: Json) -> Iterator[Row]:
    for item in stated["objects"]:
        for use in item["modules"]:
            yield (item["name"], use["ie"], use["module"], use["presence"], use["usage"])


def seed_private(row: SeedRow) -> Iterator[Row]:
    if row["element_offset"]:  # the others reserve the block
        yield (row["tag"], row["name"], row["vr"])


def list_private(stated: Json) -> Iterator[Row]:
    for row in stated["private_attributes"]:
        yield (row["tag"], row["name"], row["vr"])


def list_report_rows(rows: list[dict[str, str]]) -> Iterator[Row]:
    """With the codes of SNOMED CT in place of those of SNOMED RT, and the concepts above each item."""
    by_number = {row["row"]: row for row in rows}
    for row in rows:
        path = []
        current: dict[str, str] | None = row
        while current is not None:
            path.append(NEW_CODES.get(current["concept_code"], current["concept_code"]))
            current = by_number.get(current["parent_row"])
        yield (row["relationship"], row["value_type"], *reversed(path))


def list_report_items(stated: Json) -> Iterator[Row]:
    for row in stated["dose_report"]:
        codes = (each.partition(" ")[0] for each in row["path"])
        yield (row["relationship"], row["value_type"], *codes)


NEW_CODES = {
    "G-C0E8": "363703001", "R-408C3": "261004008", "A-2C090": "15869005", "P5-06000": "44491008",
    "C-120F9": "12503006", "T-D0010": "818981001", "F-10470": "102540008", "F-10450": "102538003",
    "F-10340": "40199007",
}  # fmt: skip
"""What newer editions code in SNOMED CT, the statement codes in SNOMED RT."""


def seed_mapping(row: SeedRow) -> Iterator[Row]:
    """What goes where, by name; a row without the worklist only groups others."""
    source = row["worklist"].lstrip(">")
    for place in ("image", "mpps"):
        target = row[place].lstrip(">")
        if "--" not in (source, target):
            yield (make_keyword(source), place, make_keyword(target))


def list_mapping(stated: Json) -> Iterator[Row]:
    for row in stated["mapping"]:
        for place, member in (("image", "image"), ("mpps", "performed_step")):
            if row[member]:
                yield (row["worklist"].rpartition(">")[2], place, row[member].rpartition(">")[2])


def make_keyword(name: str) -> str:
    """The keyword of a name as the statement prints it."""
    letters = name.replace("'s", "").replace("’s", "")
    words = [word[:1].upper() + word[1:] for word in letters.split()]
    return "".join(words)


# Texts, media, configuration, security


def seed_character_set(row: SeedRow) -> Iterator[Row]:
    yield (row["defined_term"],)


def list_character_sets(stated: Json) -> Iterator[Row]:
    for row in stated["character_sets"]["supported"]:
        yield (row["term"],)


def seed_text_attribute(row: SeedRow) -> Iterator[Row]:
    yield (row["tag"], row["keyword"], row["vr"])


def list_text_attributes(stated: Json) -> Iterator[Row]:
    for row in stated["character_sets"]["attributes"]:
        yield (row["path"], row["keyword"], row["vr"])


def seed_body_part(row: SeedRow) -> Iterator[Row]:
    yield (row["value"],)


def list_body_parts(stated: Json) -> Iterator[Row]:
    for row in stated["body_parts"]:
        yield (row["term"],)


_ACTS = {"Create": "create", "Write to CD-R": "create", "Store": "update", "Query": "query", "Retrieve": "retrieve"}
_DIRECTORY = "1.2.840.10008.1.3.10"


def seed_mr_media(row: SeedRow) -> Iterator[Row]:
    act = _ACTS[row["activity"]]
    for uid in row["sop_classes"].split():
        reads, writes = row["read_transfer_syntaxes"].split(), row["write_transfer_syntaxes"].split()
        yield (row["profile"], act, row["role"], uid, join_sorted(reads), join_sorted(writes))


def list_media(stated: Json) -> Iterator[Row]:
    for row in stated["media"]:
        for uid in row["sop_classes"]:
            yield (
                row["profile"], row["activity"], row["role"], uid, join_sorted(row["reads"]),
                join_sorted(row["writes"]),
            )  # fmt: skip


def seed_rf_media(row: SeedRow) -> Iterator[Row]:
    if row["sop_class_uid"] != _DIRECTORY:  # the DICOMDIR of every file-set
        yield (row["profile"], "create", row["role"], row["sop_class_uid"], "", row["transfer_syntax_uid"])


def seed_mr_parameter(row: SeedRow) -> Iterator[Row]:
    for key in row["keys"].split():
        yield (key,)


def list_keys(stated: Json) -> Iterator[Row]:
    for row in (*stated["parameters"], *stated["settings"]):
        yield (row["key"],)


def seed_rf_parameter(row: SeedRow) -> Iterator[Row]:
    yield (row["key"], row["configurable"], row["range"], row["default"], row["unit"])


def list_rf_parameters(stated: Json) -> Iterator[Row]:
    for row in stated["parameters"]:
        limits = f"{row['minimum']:g}-{row['maximum']:.12g}" if row["minimum"] is not None else ""
        is_fixed = row["minimum"] == row["maximum"]
        default = row["default"].strip('["]')
        yield (row["key"], "yes" if row["configurable"] else "no", "" if is_fixed else limits, default, row["unit"])


def seed_entity(row: SeedRow) -> Iterator[Row]:
    yield (_ENTITIES[row["ae"]], row["ae_title"], row["port"])


def list_entities(stated: Json) -> Iterator[Row]:
    for row in stated["application_entities"]:
        yield (row["role"], row["ae_title"], str(row["statement_port"] or row["port"] or ""))


def seed_security(row: SeedRow) -> Iterator[Row]:
    yield (row["item"], row["value"])


def list_security(stated: Json) -> Iterator[Row]:
    tls = stated["security"]
    yield ("profile", tls["profile"])
    yield from (
        ("profile", name.removesuffix(" Secure Transport Connection Profile")) for name in tls["legacy_profiles"]
    )
    yield from (("cipher suite", suite["standard_name"]) for suite in tls["suite_table"])
    yield from ((item, tls["certificate_format"]) for item in ("certificate", "private key", "trusted CAs"))
    if tls["asks_requestor_certificate"]:
        yield from (("requestor certificate", "asked for"), ("no requestor certificate", "denied"))
    keys = {row["key"] for row in stated["settings"]}
    if "peers.NAME.tls" in keys:
        yield ("switch", "per service")
        yield ("directions", "both")


def seed_cipher(row: SeedRow) -> Iterator[Row]:
    yield (row["order"], row["openssl_name"], row["group"])


def list_ciphers(stated: Json) -> Iterator[Row]:
    groups = {"BCP 195": "TLS1.2", "TLS 1.2": "TLS1.2", "TLS 1.0/1.1": "other"}
    yield from (
        (str(suite["order"]), suite["name"], groups[suite["group"]]) for suite in stated["security"]["suite_table"]
    )


TABLES: dict[str, tuple[Seed, Side]] = {
    "mr/presentation_contexts": (seed_mr_context, list_mr_contexts),
    "rf/presentation_contexts": (seed_rf_context, list_rf_contexts),
    "mr/query_keys": (seed_mr_query_key, list_mr_query_keys),
    "rf/query_keys": (seed_rf_query_key, list_rf_query_keys),
    "mr/worklist_keys": (seed_mr_worklist_key, list_mr_worklist_keys),
    "rf/worklist_keys": (seed_rf_worklist_key, list_rf_worklist_keys),
    "mr/statuses": (seed_mr_status, list_mr_answers),
    "rf/statuses": (seed_rf_status, list_statuses),
    "rf/failures": (seed_rf_failure, list_failures),
    "rf/association_rejections": (seed_rejection, list_rejections),
    "mr/print_attributes": (seed_mr_print, list_mr_print),
    "rf/print_attributes": (seed_rf_print, list_rf_print),
    "mr/mpps_attributes": (seed_mr_step, list_mr_step),
    "rf/mpps_attributes": (seed_rf_step, list_rf_step),
    "mr/iod_modules": (seed_mr_attribute, list_mr_attributes),
    "rf/iod_modules": (seed_rf_attribute, list_rf_attributes),
    "rf/iods": (seed_rf_module, list_modules),
    "mr/private_dictionary": (seed_private, list_private),
    "rf/attribute_mapping": (seed_mapping, list_mapping),
    "mr/charsets": (seed_character_set, list_character_sets),
    "rf/charsets": (seed_character_set, list_character_sets),
    "rf/charset_attributes": (seed_text_attribute, list_text_attributes),
    "mr/body_parts": (seed_body_part, list_body_parts),
    "rf/body_parts": (seed_body_part, list_body_parts),
    "mr/media_profiles": (seed_mr_media, list_media),
    "rf/media": (seed_rf_media, list_media),
    "mr/config_parameters": (seed_mr_parameter, list_keys),
    "rf/config_parameters": (seed_rf_parameter, list_rf_parameters),
    "rf/ae_titles": (seed_entity, list_entities),
    "mr/security": (seed_security, list_security),
    "rf/tls_ciphers": (seed_cipher, list_ciphers),
}
"""Each table of the seeds but the dose report, whose rows are a tree."""


def compare(table: str, stated: Json) -> tuple[set[Row], set[Row]]:
    """The rows of a seed and those of the printed statement."""
    if table == "rf/rdsr_content":
        return set(list_report_rows(read_seed(f"{table}.csv"))), set(list_report_items(stated))
    seed, side = TABLES[table]
    return {row for line in read_seed(f"{table}.csv") for row in seed(line)}, set(side(stated))
