"""Makes the statement of a device from what drives it: the tables of its profile and the settings of its site.

What a table says, the device does; so nothing is written down for the statement alone, and where the site switches
something off, the statement says so.
"""

from __future__ import annotations

from openmodality.conformance import behaviour, content, networking
from openmodality.conformance.model import ConformanceStatement, StatedReportItem
from openmodality.device.site.site import Site
from openmodality.standard.sop_classes import X_RAY_RADIATION_DOSE_SR_STORAGE


def make_statement(site: Site) -> ConformanceStatement:
    """The statement of the device of a site; of a profile alone by ``load_default_site``."""
    contexts = tuple(networking.list_stated_contexts(site))
    media = tuple(networking.list_media(site))
    return ConformanceStatement(
        device=networking.describe_device(site),
        application_entities=tuple(networking.list_entities(site)),
        remote_entities=tuple(networking.list_remotes(site)),
        sop_classes=tuple(networking.list_sop_classes(site, contexts)),
        transfer_syntaxes=tuple(networking.list_transfer_syntaxes(contexts, media)),
        presentation_contexts=contexts,
        association=networking.describe_association(site),
        worklist_keys=tuple(behaviour.list_worklist_keys(site)),
        query_keys=tuple(behaviour.list_query_keys(site)),
        performed_step=tuple(behaviour.list_step_attributes(site)),
        print_attributes=tuple(behaviour.list_print_attributes(site)),
        statuses=tuple(behaviour.list_stated_statuses(site)),
        answers=tuple(behaviour.list_answers(site)),
        failures=tuple(behaviour.list_failures(site)),
        rejections=tuple(behaviour.list_rejections(site)),
        parameters=tuple(behaviour.list_parameters(site)),
        settings=tuple(behaviour.list_settings()),
        mapping=tuple(behaviour.list_mapping(site)),
        objects=tuple(content.list_objects(site)),
        modules=tuple(content.list_modules(site)),
        private_attributes=tuple(content.list_private_attributes(site)),
        dose_report=_list_report_items(site),
        character_sets=content.describe_character_sets(site),
        body_parts=tuple(content.list_body_parts(site)),
        media=media,
        security=networking.describe_security(site),
        beyond_statement=tuple(behaviour.list_beyond(site)),
    )


def _list_report_items(site: Site) -> tuple[StatedReportItem, ...]:
    """The content of dose reports; none where the device makes none."""
    if not any(item.sop_class_uid == X_RAY_RADIATION_DOSE_SR_STORAGE for item in site.profile.objects):
        return ()
    from openmodality.conformance.dose_content import list_report_items  # noqa: PLC0415 - start-up time

    return tuple(list_report_items(site))
