from __future__ import annotations

from base64 import b64decode
from xml.etree.ElementTree import fromstring

from openmodality.audit.message import clean_xml
from tests.audit_messages import all_messages, encode


def test_moment_source_and_access_points_are_those_of_the_schema() -> None:
    root = fromstring(encode(all_messages()["sent"]))
    event, source = root.find("EventIdentification"), root.find("AuditSourceIdentification")
    assert event is not None
    assert source is not None
    assert event.get("EventDateTime") == "2026-11-30T00:53:20.250Z"
    assert (source.get("AuditSourceID"), source.get("AuditEnterpriseSiteID")) == ("OM_MR", "General Hospital")
    points = [
        (each.get("NetworkAccessPointID"), each.get("NetworkAccessPointTypeCode"))
        for each in root.iter()
        if each.get("NetworkAccessPointID")
    ]
    assert points == [("10.0.0.7", "2"), ("10.0.0.9", "2"), ("10.0.0.8", "2")]


def test_studies_have_their_accession_number_and_counts_by_sop_class() -> None:
    root = fromstring(encode(all_messages()["sent"]))
    counts = {each.get("UID"): each.get("NumberOfInstances") for each in root.iter("SOPClass")}
    assert counts == {"1.2.840.10008.5.1.4.1.1.4": "9", "1.2.5": "1"}
    assert [each.get("Number") for each in root.iter("Accession")] == ["A1"]


def test_a_query_is_kept_as_it_was_encoded() -> None:
    root = fromstring(encode(all_messages()["query"]))
    assert b64decode(root.findtext(".//ParticipantObjectQuery") or "") == b"\x08\x00"
    (detail,) = root.iter("ParticipantObjectDetail")
    assert (detail.get("type"), b64decode(detail.get("value") or "")) == ("TransferSyntax", b"1.2.840.10008.1.2.1")


def test_what_xml_does_not_have_is_replaced() -> None:
    assert clean_xml("a\x00b\x1f\ud800\uffffc\U0001f600\n") == "a\ufffdb\ufffd\ufffd\ufffdc\U0001f600\n"
