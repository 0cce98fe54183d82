"""The tables of a printed statement: each is made of one part of the statement, and of nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from openmodality.conformance.document import Cell, PrintedTable, tabulate
from openmodality.conformance.model import ConformanceStatement, StatedModule, StatedPresentationContext
from openmodality.objects.rules.sources import SOURCE_NAMES
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES

EFFECT_WORDS: Final[Mapping[str, str]] = {
    "succeed": "counts as done",
    "collect": "the match is taken",
    "continue": "goes on",
    "partial": "ends; what has come is kept and the operator is told",
    "fail": "fails, with the meaning of the status in the log and before the operator",
    "permit_delete": "the instances may be deleted",
    "resend": "what failed is sent again",
}
"""What a status does, for people."""

SERVICE_TITLES: Final = {
    "verification": "Verification",
    "storage": "Storage",
    "storage_commitment": "Storage Commitment",
    "query": "Query",
    "retrieve": "Retrieve",
    "worklist": "Modality Worklist",
    "mpps": "Modality Performed Procedure Step",
    "print": "Print Management",
}
"""The services by the names that profiles give them."""

POLICY_WORDS: Final = {
    "application_context": "Application context name",
    "implementation_class_uid": "Implementation Class UID",
    "implementation_version_name": "Implementation Version Name",
    "max_pdu_receive_bytes": "Largest PDU received, in bytes",
    "max_pdu_send_bytes": "Largest PDU sent, in bytes",
    "connect_timeout_s": "Wait for a TCP connection, in seconds",
    "association_timeout_s": "Wait for the answer to an association request, in seconds",
    "release_timeout_s": "Wait for the answer to a release request, in seconds",
    "dimse_timeout_s": "Wait for a DIMSE response without a time-out of its own, in seconds",
    "network_timeout_s": "Silence within a message, in seconds",
    "operations_at_once": "Operations outstanding at a time",
    "extended_negotiation": "Extended negotiation",
}
"""What holds for associations, by the members of the statement; the two of the implementation are those of the
device.
"""

SECURITY_WORDS: Final = {
    "is_enabled": "TLS is used here",
    "profile": "Profile",
    "legacy_profiles": "Profile where older versions are allowed",
    "versions": "Versions",
    "allows_legacy": "Older versions and suites are allowed",
    "asks_requestor_certificate": "Certificate of the requestor is asked for",
    "certificate_format": "Form of certificates, keys and trusted CAs",
    "services": "Services",
    "cipher_suites": "Cipher suites used here",
}
"""What is said of TLS, by the members of the statement; suites have a table of their own."""


def tabulate_services(statement: ConformanceStatement) -> PrintedTable:
    """Each SOP class with the roles of the device."""
    rows = [
        (each.name, each.uid, SERVICE_TITLES.get(each.service, "Media"), each.scu, each.scp, each.media, each.creates)
        for each in statement.sop_classes
    ]
    return tabulate("Services: SOP classes and roles", "SOP class|UID|service|SCU|SCP|media|created here", rows)


def tabulate_transfer_syntaxes(statement: ConformanceStatement) -> PrintedTable:
    """Each transfer syntax with where it is used."""
    rows = [(each.name, each.uid, each.proposed, each.accepted, each.on_media) for each in statement.transfer_syntaxes]
    return tabulate("Transfer syntaxes", "transfer syntax|UID|proposed|accepted|on media", rows)


def tabulate_entities(statement: ConformanceStatement) -> PrintedTable:
    """The local AEs."""
    rows = [
        (
            each.role, each.ae_title, "does not listen" if each.port is None else each.port, each.statement_port,
            tuple(_name_role(service) for service in each.services), each.most_initiated, each.most_accepted,
            each.is_tls,
        )
        for each in statement.application_entities
    ]  # fmt: skip
    heads = "AE|AE title|port|port of the statement|services|most initiated|most accepted|TLS"
    return tabulate("Application entities", heads, rows)


def _name_role(service: str) -> str:
    name, _, role = service.rpartition(" ")
    return f"{SERVICE_TITLES[name]} {role}"


def tabulate_remotes(statement: ConformanceStatement) -> PrintedTable:
    """The peers of the site file."""
    rows = [
        (each.name, each.ae_title, each.host, each.port, each.asked, each.may_ask, each.is_tls)
        for each in statement.remote_entities
    ]
    return tabulate("Remote application entities", "name|AE title|host|port|asked for|may ask for|TLS", rows)


def tabulate_peer_contexts(statement: ConformanceStatement) -> PrintedTable:
    """What is proposed to each peer of the site file and accepted from it; no rows where there are none."""
    rows = [
        (peer.name, each.ae, each.direction, each.sop_class, each.sop_class_uid,
         _name_syntaxes(each.transfer_syntaxes))
        for peer in statement.remote_entities
        for each in peer.contexts
    ]  # fmt: skip
    heads = "peer|AE|direction|SOP class|UID|transfer syntaxes"
    return tabulate("Presentation contexts by peer", heads, rows)


def _name_syntaxes(uids: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{TRANSFER_SYNTAXES[uid].name} ({uid})" for uid in uids)


def tabulate_contexts(
    statement: ConformanceStatement, title: str, *, services: Collection[str], directions: Collection[str], ae: str = ""
) -> PrintedTable:
    """The presentation contexts of some services."""
    chosen = [
        each
        for each in statement.presentation_contexts
        if each.service in services and each.direction in directions and (not ae or each.ae == ae)
    ]
    heads = "AE|direction|SOP class|UID|transfer syntaxes|role|extended negotiation|where"
    return tabulate(title, heads, [_describe_context(each) for each in chosen])


def _describe_context(context: StatedPresentationContext) -> tuple[str | tuple[str, ...], ...]:
    names = _name_syntaxes(context.transfer_syntaxes)
    where = f"switched by {' or '.join(context.enabled_by)}" if context.enabled_by else "always"
    if not context.is_enabled:
        where += ", which is off"
    if context.goes_beyond:
        where = f"beyond the statement: {context.goes_beyond}"
    negotiation = "SCP/SCU role selection" if context.negotiates_role else "none"
    return (
        context.ae, context.direction, context.sop_class, context.sop_class_uid, names, context.role, negotiation,
        where,
    )  # fmt: skip


def tabulate_association(statement: ConformanceStatement) -> PrintedTable:
    """What holds for every association."""
    policy, device = statement.association, statement.device
    rows: list[Sequence[Cell]] = []
    for name, words in POLICY_WORDS.items():
        value = getattr(policy if hasattr(policy, name) else device, name)
        rows.append((words, "none" if value == () else value))
    return tabulate("Association policies", "policy|value", rows)


def tabulate_rejections(statement: ConformanceStatement) -> PrintedTable:
    """How associations are rejected."""
    rows = [
        (each.situation, f"{each.result} {each.result_name}", f"{each.source} {each.source_name}",
         f"{each.reason} {each.reason_name}")
        for each in statement.rejections
    ]  # fmt: skip
    return tabulate("Rejection of associations", "when|result|source|reason", rows)


def tabulate_worklist_keys(statement: ConformanceStatement) -> PrintedTable:
    """The keys of the worklist request."""
    rows = [
        (each.keyword, each.path, each.vr, each.matching, each.required, each.displayed, each.configurable,
         each.images, each.performed_step)
        for each in statement.worklist_keys
    ]  # fmt: skip
    heads = "attribute|tag|VR|matching|required|displayed|site may change|goes into images as|into the MPPS as"
    return tabulate("Keys of the worklist request", heads, rows)


def tabulate_query_keys(statement: ConformanceStatement, role: str) -> PrintedTable:
    """The keys of the query levels in a role."""
    rows = [
        (each.model, each.level, each.keyword, each.path, each.vr, each.type)
        for each in statement.query_keys
        if each.role == role
    ]
    return tabulate(f"Query keys as {role}", "model|level|attribute|tag|VR|type", rows)


def tabulate_step(statement: ConformanceStatement) -> PrintedTable:
    """The attributes of the performed procedure step."""
    rows = [
        (each.keyword, each.path, each.vr, each.n_create or "not sent", each.n_set or "not sent", each.final,
         _name_sources(each.sources), each.value, each.condition)
        for each in statement.performed_step
    ]  # fmt: skip
    heads = "attribute|tag|VR|N-CREATE|N-SET|final state|comes from|value|condition"
    return tabulate("Attributes of the performed procedure step", heads, rows)


def tabulate_print(statement: ConformanceStatement) -> PrintedTable:
    """The attributes of print requests."""
    rows = [
        (each.sop_class, each.operation, each.keyword, each.path, each.vr, each.presence, _name_sources(each.sources),
         _say_values(each.value_rule, each.values))
        for each in statement.print_attributes
    ]  # fmt: skip
    return tabulate(
        "Attributes of print requests", "SOP class|operation|attribute|tag|VR|presence|comes from|values", rows
    )


def tabulate_statuses(statement: ConformanceStatement, service: str) -> PrintedTable:
    """What a status of a peer does."""
    rows = [
        (each.operation, "any other" if each.code == "*" else each.code, each.category, each.meaning,
         EFFECT_WORDS[each.effect], each.aborts, each.is_transient, each.success_if)
        for each in statement.statuses
        if each.service == service
    ]  # fmt: skip
    heads = "operation|status|category|meaning|what follows|A-ABORT|may pass|success where set"
    return tabulate(f"{SERVICE_TITLES[service]}: statuses received", heads, rows)


def tabulate_answers(statement: ConformanceStatement, service: str) -> PrintedTable:
    """The statuses that the device answers with."""
    rows = [
        (each.operation, each.code, each.category, each.meaning)
        for each in statement.answers
        if each.service == service
    ]
    return tabulate(f"{SERVICE_TITLES[service]}: statuses returned", "operation|status|category|when", rows)


def tabulate_failures(statement: ConformanceStatement, services: Collection[str]) -> PrintedTable:
    """What a failure of communication does."""
    rows = [
        (SERVICE_TITLES[each.service], "time-out" if each.failure == "timeout" else "association lost or aborted",
         each.aborts, _say_end(each.ends, is_transient=each.is_transient))
        for each in statement.failures
        if each.service in services
    ]  # fmt: skip
    names = ", ".join(SERVICE_TITLES[each] for each in services)
    return tabulate(f"{names}: failures of communication", "service|failure|A-ABORT|what follows", rows)


def _say_end(ends: str, *, is_transient: bool) -> str:
    if ends == "operation":
        return "the operation ends without a result, the reason is logged, the operator is told"
    again = ", and is tried again as the parameters say" if is_transient else ""
    return f"the job fails with the reason in the log and before the operator{again}"


def tabulate_parameters(statement: ConformanceStatement) -> PrintedTable:
    """The parameters with range and default."""
    rows = [
        (each.key, each.meaning, _say_range(each.minimum, each.maximum, each.choices), each.unit, each.default,
         each.value, each.configurable, each.special)
        for each in statement.parameters
    ]  # fmt: skip
    heads = "parameter|meaning|range|unit|default|here|configurable|special values"
    return tabulate("Parameters", heads, rows)


def _say_range(minimum: float | None, maximum: float | None, choices: tuple[str, ...]) -> str:
    if minimum is not None and maximum is not None:
        return f"{minimum:.12g} to {maximum:.12g}"
    return ", ".join(choices)


def tabulate_settings(statement: ConformanceStatement) -> PrintedTable:
    """The settings of every device."""
    rows = [(each.key, each.meaning, each.default, each.allowed) for each in statement.settings]
    return tabulate("Settings of the site file", "setting|meaning|default|allowed", rows)


def tabulate_mapping(statement: ConformanceStatement) -> PrintedTable:
    """Where attributes of the worklist go."""
    rows = [(each.worklist, each.image, each.performed_step) for each in statement.mapping]
    return tabulate("Attribute mapping", "worklist|images|performed procedure step", rows)


def tabulate_objects(statement: ConformanceStatement) -> Iterator[PrintedTable]:
    """The modules of each object."""
    for each in statement.objects:
        rows = [(use.ie, use.module, use.usage, use.presence, use.condition) for use in each.modules]
        yield tabulate(f"{each.name}: modules", "IE|module|usage|presence|condition", rows)


def tabulate_module(module: StatedModule) -> PrintedTable:
    """The attributes of a module."""
    everybody = {name for each in module.attributes for name in each.objects}
    rows = [
        (each.keyword, each.path, each.vr, each.presence, _name_sources(each.sources),
         _say_values(each.value_rule, each.values), each.condition.replace("|", " or "),
         "all" if set(each.objects) == everybody else each.objects)
        for each in module.attributes
    ]  # fmt: skip
    return tabulate(f"Module {module.name}", "attribute|tag|VR|presence|comes from|values|condition|objects", rows)


def tabulate_private(statement: ConformanceStatement) -> PrintedTable:
    """The private dictionary."""
    rows = [(each.creator, each.name, each.tag, each.vr, each.mirrors) for each in statement.private_attributes]
    return tabulate("Private attributes", "private creator|name|tag|VR|repeats", rows)


def tabulate_report(statement: ConformanceStatement) -> PrintedTable:
    """The content tree of the dose report."""
    rows = [
        (">" * each.depth, each.relationship, each.value_type,
         f"({each.concept_code}, {each.concept_scheme}, {each.concept_meaning})",
         f"({each.value_code}, {each.value_scheme}, {each.value_meaning})" if each.value_code else each.units,
         each.presence, each.template)
        for each in statement.dose_report
    ]  # fmt: skip
    return tabulate(
        "Content of the dose report", "level|relationship|value type|concept|value or unit|presence|TID", rows
    )


def tabulate_character_sets(statement: ConformanceStatement) -> PrintedTable:
    """The defined terms that are supported."""
    written = " ".join(statement.character_sets.written)
    rows = [
        (each.term or "none (ISO-IR 6)", each.code_extensions, not each.term or each.term in written)
        for each in statement.character_sets.supported
    ]
    return tabulate("Character sets", "defined term|with code extensions|in objects made here", rows)


def tabulate_text_attributes(statement: ConformanceStatement) -> PrintedTable:
    """The attributes with more than the default repertoire."""
    rows = [(each.keyword, each.path, each.vr) for each in statement.character_sets.attributes]
    return tabulate("Attributes with more than the default repertoire", "attribute|tag|VR", rows)


def tabulate_body_parts(statement: ConformanceStatement) -> PrintedTable:
    """The terms of Body Part Examined."""
    rows = [(each.term, each.offered) for each in statement.body_parts]
    return tabulate("Terms of Body Part Examined (0018,0015)", "term|offered", rows)


def tabulate_media(statement: ConformanceStatement) -> PrintedTable:
    """The application profiles."""
    rows = [
        (each.profile, each.activity, each.role, each.capacity_mb, each.sop_classes, each.reads, each.writes,
         each.is_enabled)
        for each in statement.media
    ]  # fmt: skip
    heads = "application profile|activity|role|megabytes|SOP classes|reads|writes|here"
    return tabulate("Media application profiles", heads, rows)


def tabulate_security(statement: ConformanceStatement) -> PrintedTable:
    """TLS."""
    tls = statement.security
    said: dict[str, Cell] = {
        "legacy_profiles": tls.legacy_profiles or "the same",
        "services": tuple(SERVICE_TITLES[each] for each in tls.services),
    }
    rows: list[Sequence[Cell]] = [
        (words, said[name] if name in said else getattr(tls, name))
        for name, words in SECURITY_WORDS.items()
        if name != "cipher_suites"
    ]
    rows += [("Cipher suites that cannot be used on this machine", each) for each in tls.passed_over]
    return tabulate("Secure transport connections", "item|value", rows)


def tabulate_suites(statement: ConformanceStatement) -> PrintedTable:
    """The cipher suites of the device in the order of preference."""
    tls = statement.security
    named = {each.name for each in tls.suite_table}
    rows: list[Sequence[Cell]] = [
        (
            each.order,
            each.name,
            each.standard_name,
            each.group,
            "tls.allow_legacy_tls" if each.is_legacy else "",
            each.is_used,
        )
        for each in tls.suite_table
    ]
    rows += [("", name, "", "of the site file", "", True) for name in tls.cipher_suites if name not in named]
    heads = "order of preference|cipher suite (OpenSSL)|standard name|profile|only with|used here"
    return tabulate("Cipher suites", heads, rows)


def tabulate_beyond(statement: ConformanceStatement) -> PrintedTable:
    """What goes beyond the statement that is followed."""
    rows = [
        (each.name, each.meaning, each.enabled_by or "always", each.is_enabled, each.decision)
        for each in statement.beyond_statement
    ]
    return tabulate("Beyond the statement", "what|how|switched by|here|decision", rows)


def _name_sources(sources: Iterable[str]) -> tuple[str, ...]:
    names = {str(name): words for name, words in SOURCE_NAMES.items()}
    return tuple(names[each] for each in sources)


def _say_values(rule: str, values: tuple[str, ...]) -> str:
    match rule:
        case "range":
            return f"{values[0]} to {values[1]}"
        case "enumerated":
            return f"one of {', '.join(values)}"
        case "defined":
            return f"such as {', '.join(values)}"
        case _:
            return ", ".join(values)
