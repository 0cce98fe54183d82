"""The access of others to this device over DICOMweb: search of its local database, and retrieval from it."""

from __future__ import annotations

from openmodality.activities.query_answers import StoredEntities
from openmodality.activities.web_retrieve import WebInstances
from openmodality.activities.web_search import WebSearch
from openmodality.app.audit import AuditLog
from openmodality.device.site.site import Site
from openmodality.imaging.decompress import decompress_file
from openmodality.store.local import LocalStore


class WebAccess:
    """Search and retrieve, as the console's server offers them under ``/dicom-web``."""

    def __init__(self, store: LocalStore, site: Site, audit: AuditLog) -> None:
        self.search = WebSearch(StoredEntities(store, site, audit.trail))
        self.instances = WebInstances(store, site, decompress_file, audit.tell_viewed)
