"""The sections behind those of the services: configuration, character sets, and the contents of objects."""

from __future__ import annotations

from openmodality.conformance import prose, tables
from openmodality.conformance.document import PrintedTable, Section
from openmodality.conformance.model import ConformanceStatement, StatedInformationObject, StatedModule


def make_configuration(statement: ConformanceStatement) -> Section:
    """What a site may set."""
    addresses: list[str | PrintedTable] = [tables.tabulate_entities(statement), prose.ABOUT_ADDRESSES]
    if statement.remote_entities:
        addresses.append(tables.tabulate_remotes(statement))
    if any(each.contexts for each in statement.remote_entities):
        addresses.append(tables.tabulate_peer_contexts(statement))
    return Section(
        "Configuration",
        sections=(
            Section("AE titles and addresses", tuple(addresses)),
            Section("Parameters", (tables.tabulate_parameters(statement), tables.tabulate_settings(statement))),
        ),
        areas=("config",),
    )


def make_character_sets(statement: ConformanceStatement) -> Section:
    """Support of character sets."""
    blocks: list[str | PrintedTable] = [prose.ABOUT_CHARACTER_SETS, tables.tabulate_character_sets(statement)]
    if statement.character_sets.attributes:
        blocks.append(tables.tabulate_text_attributes(statement))
    return Section("Support of character sets", tuple(blocks), areas=("charset",))


def make_objects(statement: ConformanceStatement, title: str = "Annex: contents of objects") -> Section:
    """The objects, their modules and attributes, and what is private or coded in them."""
    codes: list[str | PrintedTable] = [prose.ABOUT_CODES, tables.tabulate_body_parts(statement)]
    codes += [tables.tabulate_report(statement)] if statement.dose_report else []
    contents = (
        Section("Objects that are made", tuple(tables.tabulate_objects(statement))),
        Section("Modules", tuple(tables.tabulate_module(each) for each in statement.modules)),
        Section("Use of received objects", (prose.ABOUT_RECEIVED,)),
        Section("Attribute mapping", (tables.tabulate_mapping(statement),)),
    )
    return Section(
        title,
        sections=(
            Section("Contents of objects", sections=contents),
            make_private(statement),
            Section("Controlled terminology and templates", tuple(codes)),
            Section("Grayscale image consistency", (prose.ABOUT_GRAYSCALE,)),
            Section("Standard extended SOP classes", (tables.tabulate_beyond(statement),)),
            Section("Private SOP classes and transfer syntaxes", (prose.ABOUT_PRIVATE_SYNTAXES,)),
            Section(
                "Details of secure connections",
                (tables.tabulate_security(statement), tables.tabulate_suites(statement)),
            ),
        ),
        areas=("iod",),
    )


def make_private(statement: ConformanceStatement) -> Section:
    """The private dictionary."""
    has_some = bool(statement.private_attributes)
    return Section("Private attributes", (tables.tabulate_private(statement) if has_some else prose.ABOUT_PRIVATE,))


def make_modules_of(statement: ConformanceStatement, item: StatedInformationObject) -> Section:
    """An object with the modules that no other object has."""
    (table,) = (each for each in tables.tabulate_objects(statement) if each.title.startswith(f"{item.name}:"))
    own = [each for each in statement.modules if _list_objects(each) == {item.name}]
    return Section(item.name, (table, *map(tables.tabulate_module, own)))


def make_other_modules(statement: ConformanceStatement) -> Section:
    """The modules that several objects have."""
    shared = [each for each in statement.modules if len(_list_objects(each)) > 1]
    return Section("Common modules", tuple(map(tables.tabulate_module, shared)))


def _list_objects(module: StatedModule) -> set[str]:
    return {name for each in module.attributes for name in each.objects}
