"""The XML of MRD: what it says, and what it may not do."""

from __future__ import annotations

import ismrmrd
import ismrmrd.xsd
import pytest

from openmodality.acquisition.readers.mrd_header import parse_header, parse_meta
from openmodality.errors import ObjectInvalid

HEADER = """<?xml version="1.0"?>
<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
 <subjectInformation><patientName>A^B</patientName><patientID>7</patientID>
  <patientBirthdate>1980-01-01</patientBirthdate></subjectInformation>
 <studyInformation><accessionNumber>ACC</accessionNumber></studyInformation>
 <measurementInformation><patientPosition>HFS</patientPosition><protocolName>P</protocolName></measurementInformation>
 <acquisitionSystemInformation><systemFieldStrength_T>0.05</systemFieldStrength_T></acquisitionSystemInformation>
 <experimentalConditions><H1resonanceFrequency_Hz>2128000</H1resonanceFrequency_Hz></experimentalConditions>
 <sequenceParameters><TR>500</TR><TE>10</TE><TE>20</TE><TI>900</TI><flipAngle_deg>90</flipAngle_deg></sequenceParameters>
</ismrmrdHeader>"""


def test_what_the_header_says() -> None:
    header = parse_header(HEADER, "a")
    assert header.keywords == {
        "PatientPosition": "HFS", "ProtocolName": "P", "MagneticFieldStrength": "0.05", "ImagingFrequency": 2.128,
    }  # fmt: skip
    assert header.by_contrast == {
        "RepetitionTime": (500.0,), "EchoTime": (10.0, 20.0), "InversionTime": (900.0,), "FlipAngle": (90.0,),
    }  # fmt: skip
    assert header.identity == {
        "PatientName": "A^B", "PatientID": "7", "PatientBirthDate": "1980-01-01", "AccessionNumber": "ACC",
    }  # fmt: skip


def test_a_header_of_ismrmrd_is_read() -> None:
    conditions = ismrmrd.xsd.experimentalConditionsType(H1resonanceFrequency_Hz=1000000)
    header = ismrmrd.xsd.ismrmrdHeader(experimentalConditions=conditions)
    header.sequenceParameters = ismrmrd.xsd.sequenceParametersType(TR=[500.0])
    assert parse_header(header.toXML(), "a").by_contrast == {"RepetitionTime": (500.0,)}


def test_meta_attributes_of_ismrmrd_are_read() -> None:
    meta = ismrmrd.Meta({"ImageRowDir": ["1", "0", "0"], "Name": "x"})
    assert parse_meta(meta.serialize(), "a") == {"ImageRowDir": ["1", "0", "0"], "Name": ["x"]}
    assert parse_meta(b"", "a") == {}


@pytest.mark.parametrize(
    "xml",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a><b></a>",
        "",
        "<a>" + "x" * (1 << 20) + "</a>",
        b"\xff\xfe<\0a\0/\0>\0",
    ],
)
def test_entities_and_broken_texts_are_refused(xml: str | bytes) -> None:
    with pytest.raises(ObjectInvalid):
        parse_header(xml, "a")


def test_a_number_that_is_none_is_named() -> None:
    with pytest.raises(ObjectInvalid, match="sequenceParameters/TR is no number"):
        parse_header("<a><sequenceParameters><TR>fast</TR></sequenceParameters></a>", "a")
