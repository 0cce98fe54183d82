"""The section of a service: what it is for, its presentation contexts, its keys or attributes, its statuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from openmodality.conformance import prose, tables
from openmodality.conformance.document import PrintedTable, Section
from openmodality.conformance.model import ConformanceStatement

PROPOSED = ("proposed",)
ACCEPTED = ("accepted",)
AREAS: Final[Mapping[str, tuple[str, ...]]] = {
    "verification": ("verification",),
    "storage": ("storage-scu", "storage-scp"),
    "storage_commitment": ("commitment",),
    "query": ("query-scu", "query-scp"),
    "retrieve": ("retrieve-scu", "retrieve-scp"),
    "worklist": ("worklist",),
    "mpps": ("mpps",),
    "print": ("print",),
}
"""The areas of requirements of a service: as the one that asks, and as the one that is asked."""


def list_services(statement: ConformanceStatement) -> tuple[str, ...]:
    """The services of the device in the order of its profile."""
    return tuple(dict.fromkeys(each.service for each in statement.presentation_contexts))


def make_service(statement: ConformanceStatement, service: str) -> Section:
    """A service in both directions."""
    parts = (make_requestor(statement, service), make_acceptor(statement, service))
    sections = tuple(each for each in parts if each is not None)
    return Section(tables.SERVICE_TITLES[service], sections=sections)


def make_requestor(statement: ConformanceStatement, service: str, *, has_contents: bool = True) -> Section | None:
    """A service as the device asks for it; None where it does not.

    ``has_contents``: with the keys or attributes of its requests, which some layouts have elsewhere.
    """
    if not _has_context(statement, service, "proposed"):
        return None
    name = tables.SERVICE_TITLES[service]
    blocks: list[str | PrintedTable] = [
        prose.PURPOSES[service][0],
        tables.tabulate_contexts(
            statement, f"{name}: proposed presentation contexts", services=(service,), directions=PROPOSED
        ),
        *(_list_contents(statement, service) if has_contents else []),
    ]
    blocks += _list_filled(tables.tabulate_statuses(statement, service))
    if service == "print":  # a printer reports on the association that we opened
        blocks += [prose.PURPOSES[service][1], *_list_filled(tables.tabulate_answers(statement, service))]
    blocks += _list_filled(tables.tabulate_failures(statement, (service,)))
    return Section(f"{name}: association initiation", tuple(blocks), areas=AREAS[service][:1])


def make_acceptor(statement: ConformanceStatement, service: str) -> Section | None:
    """A service as the device is asked for it; None where it is not."""
    if not _has_context(statement, service, "accepted"):
        return None
    name = tables.SERVICE_TITLES[service]
    blocks: list[str | PrintedTable] = [
        prose.PURPOSES[service][1],
        prose.ABOUT_SYNTAXES,
        tables.tabulate_contexts(
            statement, f"{name}: accepted presentation contexts", services=(service,), directions=ACCEPTED
        ),
    ]
    if service == "query":
        blocks.append(tables.tabulate_query_keys(statement, "SCP"))
    blocks += _list_filled(tables.tabulate_answers(statement, service))
    return Section(f"{name}: association acceptance", tuple(blocks), areas=AREAS[service][-1:])


def _list_contents(statement: ConformanceStatement, service: str) -> list[PrintedTable]:
    match service:
        case "worklist":
            return [tables.tabulate_worklist_keys(statement)]
        case "query":
            return [tables.tabulate_query_keys(statement, "SCU")]
        case "mpps":
            return [tables.tabulate_step(statement)]
        case "print":
            return [tables.tabulate_print(statement)]
        case _:
            return []


def _list_filled(table: PrintedTable) -> list[PrintedTable]:
    return [table] if table.rows else []


def _has_context(statement: ConformanceStatement, service: str, direction: str) -> bool:
    return any(each.service == service and each.direction == direction for each in statement.presentation_contexts)
