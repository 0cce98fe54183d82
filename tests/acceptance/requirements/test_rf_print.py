"""R/F 4.2.7: the device prints; what it sends is read by pynetdicom, which also answers with each status."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pydicom import Dataset

from openmodality.store.states import JobState
from tests.acceptance.requirements.print_device import PrintDevice, make_print_device
from tests.peers.pynetdicom_printer import LUT, PynetdicomPrinter, printing

STATED = (
    '[device]\nimplementation_class_uid = "2.16.840.1.113669.632.3.1.1.2.7"\nimplementation_version_name = "Harmony"\n'
)
ORDER = [
    "A-ASSOCIATE", "N-GET Printer", "N-CREATE Film Session", "N-CREATE Film Box", "N-SET Grayscale Image Box",
    "N-ACTION Film Box", "N-DELETE Film Session",
]  # fmt: skip


def print_with(tmp_path: Path, printer: PynetdicomPrinter, *words: object, images: int = 1) -> tuple[PrintDevice, int]:
    """Print a study of a new device on the printer; the device and the exit status."""
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "rf", address, images=images)
        status, _ = device.print(*words)
    return device, status


@pytest.mark.requirement(
    "RF-1-07", "RF-4.1.2.7-01", "RF-4.1.2.7-02", "RF-4.2.7.3.1.1-01", "RF-4.2.7.3.1.1-02", "RF-4.2.7.3.1.1-03",
    "RF-4.2.7.3.1.1-04", "RF-4.2.7.3.1.1-06", "RF-4.2.7.3.1.4-01", "RF-4.2.7.3.1.4.1-01", "RF-4.2.7.3.1.4.1-02",
    "RF-4.2.7.3.1.4.1-05", "RF-4.2.7.3.1.5-01", "RF-4.2.7.3.1.5.1-02", "RF-4.2.7.3.1.5.2-01", "RF-4.2.7.3.1.6-01",
    "RF-4.2.7.3.1.6.1-04", "RF-4.2.7.3.1.6.2-01", "RF-4.2.7.3.1.6.2-02", "RF-4.2.7.3.1.7-01", "RF-4.2.7.3.1.7.1-03",
)  # fmt: skip
def test_a_film_is_printed_in_the_order_of_the_statement(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    device, status = print_with(tmp_path, printer)
    assert (status, printer.names) == (0, ORDER)
    assert device.last_job().job.state is JobState.DONE
    assert printer.find("N-GET Printer")[0].AttributeIdentifierList == [0x21100010, 0x21100020]
    by_name = {request.name: request for request in printer.requests}
    assert by_name["N-ACTION Film Box"].uid == by_name["N-CREATE Film Box"].uid
    assert by_name["N-DELETE Film Session"].uid == by_name["N-CREATE Film Session"].uid
    assert printer.end == "A-RELEASE"


@pytest.mark.requirement("RF-4.2.7.3.1.1-01", "RF-4.2.7.3.1.1-04")
def test_all_sheets_are_printed_in_one_film_session(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    _, status = print_with(tmp_path, printer, "--layout", "1x2", images=3)
    sheet = ["N-CREATE Film Box", "N-SET Grayscale Image Box", "N-SET Grayscale Image Box", "N-ACTION Film Box"]
    assert status == 0
    assert printer.names == [*ORDER[:3], *sheet, *sheet[:2], sheet[3], ORDER[-1]]


@pytest.mark.requirement(
    "RF-4.2.7.1-01", "RF-4.2.7.2.1-01", "RF-4.2.7.2.3-01", "RF-4.2.7.2.4-01", "RF-4.2.7.3.1.2-01", "RF-4.4.2-32"
)
def test_the_association_is_as_stated(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        more = (
            '[peers.film.parameters.print]\ntransfer_syntaxes = ["ImplicitVRLittleEndian", "ExplicitVRLittleEndian"]\n'
        )
        device = make_print_device(tmp_path / "device", "rf", address, peer=more, head=STATED)
        assert device.print()[0] == 0
    asked = printer.associations[0].requestor
    (context,) = asked.requested_contexts
    assert context.abstract_syntax == "1.2.840.10008.5.1.1.9"
    assert set(context.transfer_syntax) == {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}
    assert asked.primitive.application_context_name == "1.2.840.10008.3.1.1.1"
    assert asked.asynchronous_operations in ((1, 1), None)
    assert asked.implementation_class_uid == "2.16.840.1.113669.632.3.1.1.2.7"
    assert asked.implementation_version_name == "Harmony"
    assert asked.role_selection == {}
    assert asked.ae_title == "ADR_PRINT_SCU"


@pytest.mark.requirement(
    "RF-4.2.7.3.1.1-07", "RF-4.2.7.3.1.5.1-01", "RF-4.2.7.3.1.6.1-01", "RF-4.2.7.3.1.6.1-02", "RF-4.2.7.3.1.6.1-03"
)
def test_session_and_film_box_have_all_attributes(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    words = ("--copies", "3", "--priority", "HIGH", "--medium", "PAPER", "--destination", "MAGAZINE",
             "--size", "24CMX30CM", "--orientation", "LANDSCAPE", "--magnification", "NONE",
             "--layout", "2x3")  # fmt: skip
    print_with(tmp_path, printer, *words)
    (session,), (film,) = printer.find("N-CREATE Film Session"), printer.find("N-CREATE Film Box")
    assert {each.keyword: str(each.value) for each in session} == {
        "NumberOfCopies": "3", "PrintPriority": "HIGH", "MediumType": "PAPER", "FilmDestination": "MAGAZINE",
    }  # fmt: skip
    (reference,) = film.ReferencedFilmSessionSequence
    created = next(request for request in printer.requests if request.name == "N-CREATE Film Session")
    assert (reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID) == (
        "1.2.840.10008.5.1.1.1", created.uid,
    )  # fmt: skip
    del film.ReferencedFilmSessionSequence
    assert {each.keyword: str(each.value) for each in film} == {
        "ImageDisplayFormat": "STANDARD\\2,3", "FilmOrientation": "LANDSCAPE", "FilmSizeID": "24CMX30CM",
        "MagnificationType": "NONE", "SmoothingType": "MEDIUM", "BorderDensity": "BLACK",
        "EmptyImageDensity": "BLACK", "MinDensity": "20", "MaxDensity": "300", "Trim": "NO",
        "ConfigurationInformation": "CS000",
    }  # fmt: skip


@pytest.mark.requirement("RF-4.2.7.3.1.7.1-01", "RF-4.2.7.3.1.7.1-02")
def test_an_image_box_is_as_stated(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    print_with(tmp_path, printer, "--layout", "1x2", images=2)
    for position, box in enumerate(printer.find("N-SET Grayscale Image Box"), start=1):
        (item,) = box.BasicGrayscaleImageSequence
        assert (box.ImageBoxPosition, box.Polarity) == (position, "NORMAL")
        assert (box.MagnificationType, box.SmoothingType) == ("CUBIC", "MEDIUM")
        assert (item.SamplesPerPixel, item.PhotometricInterpretation) == (1, "MONOCHROME2")
        assert item.Rows == 1024
        assert item.Columns in (1024, 1280)
        assert list(item.PixelAspectRatio) == [1, 1]
        assert (item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation) == (8, 8, 7, 0)
        assert item["PixelData"].VR == "OW"
        assert len(item.PixelData) == item.Rows * item.Columns


@pytest.mark.requirement("RF-4.2.7.3.1.5.1-03", "RF-4.2.7.3.1.6.1-05", "RF-4.2.7.3.1.6.2-03", "RF-4.2.7.3.1.7.1-04")
@pytest.mark.parametrize(
    ("request_name", "status"),
    [
        ("N-CREATE Film Session", 0x0116), ("N-CREATE Film Session", 0x0107), ("N-CREATE Film Box", 0xB605),
        ("N-ACTION Film Box", 0xB603), ("N-ACTION Film Box", 0xB604), ("N-SET Grayscale Image Box", 0xB604),
        ("N-SET Grayscale Image Box", 0xB605),
    ],
)  # fmt: skip
def test_these_warnings_count_as_success_and_are_told(tmp_path: Path, request_name: str, status: int) -> None:
    printer = PynetdicomPrinter({request_name: status})
    device, ended = print_with(tmp_path, printer)
    assert (ended, printer.names) == (0, ORDER)
    assert f"{status:04X}" in device.last_job().job.reason


@pytest.mark.requirement(
    "RF-4.2.7.3.1.4.1-06", "RF-4.2.7.3.1.5.1-04", "RF-4.2.7.3.1.5.2-02", "RF-4.2.7.3.1.6.1-06", "RF-4.2.7.3.1.6.2-04",
    "RF-4.2.7.3.1.6.2-05", "RF-4.2.7.3.1.7.1-05", "RF-4.2.7.3.1.7.1-06",
)  # fmt: skip
@pytest.mark.parametrize(
    ("request_name", "status", "meaning"),
    [
        ("N-GET Printer", 0x0110, "printer status not received"),
        ("N-CREATE Film Session", 0x0106, "not created"), ("N-CREATE Film Session", 0xB600, "not created"),
        ("N-CREATE Film Box", 0x0106, "not created"), ("N-CREATE Film Box", 0xC616, "not created"),
        ("N-SET Grayscale Image Box", 0xB609, "image cropped to fit"),
        ("N-SET Grayscale Image Box", 0xB60A, "image decimated to fit"),
        ("N-SET Grayscale Image Box", 0xC603, "image larger than its box"),
        ("N-SET Grayscale Image Box", 0xC605, "printer is out of memory"),
        ("N-SET Grayscale Image Box", 0xC613, "combined image larger than its box"),
        ("N-SET Grayscale Image Box", 0x0110, "not done"),
        ("N-ACTION Film Box", 0xB609, "image cropped to fit"), ("N-ACTION Film Box", 0xB60A, "image decimated to fit"),
        ("N-ACTION Film Box", 0xC602, "print queue is full"),
        ("N-ACTION Film Box", 0xC603, "image larger than its box"),
        ("N-ACTION Film Box", 0xC613, "combined image larger than its box"), ("N-ACTION Film Box", 0x0110, "not done"),
        ("N-DELETE Film Session", 0x0112, "not deleted"),
    ],
)  # fmt: skip
def test_any_other_status_aborts_and_fails_the_job(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, request_name: str, status: int, meaning: str
) -> None:
    printer = PynetdicomPrinter({request_name: status})
    with caplog.at_level(logging.WARNING):
        device, ended = print_with(tmp_path, printer)
    assert ended == 1
    assert printer.names == ORDER[: ORDER.index(request_name) + 1]
    assert printer.end == "A-ABORT"
    assert f"{status:04X}" in device.reason()
    assert meaning in device.reason()
    logged = [record for record in caplog.records if record.getMessage() == "print.status"]
    assert [record.__dict__["status"] for record in logged] == [f"{status:04X}"]


@pytest.mark.parametrize("status", [0xB609, 0xB60A, 0xB601])
def test_a_sheet_that_was_ordered_with_a_warning_is_not_printed_again_unless_a_person_says_so(
    tmp_path: Path, status: int
) -> None:
    printer = PynetdicomPrinter({"N-ACTION Film Box": status})
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "rf", address)
        assert device.print()[0] == 1
        reason = device.reason()
        assert reason.startswith("sheet 1 may have been printed, or not: ")
        assert f"{status:04X}" in reason
        job = device.last_job().job.id
        assert device.do("jobs", "retry", job)[0] == 2
        printer.statuses.clear()
        assert device.do("jobs", "retry", job, "--film", "printed")[0] == 0
        assert device.work()
        assert device.last_job().job.state is JobState.DONE
        assert printer.names.count("N-ACTION Film Box") == 1


def test_a_film_session_that_is_not_deleted_leaves_no_doubt_that_its_sheets_are_printed(tmp_path: Path) -> None:
    printer = PynetdicomPrinter({"N-DELETE Film Session": 0x0110})
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "rf", address)
        assert device.print()[0] == 1
        assert device.reason().endswith(
            "all sheets are printed: cancel the job, or retry it, which prints none of them again"
        )
        assert device.do("jobs", "retry", device.last_job().job.id)[0] == 0
        assert device.work()
        assert device.last_job().job.state is JobState.DONE
        assert printer.names.count("N-ACTION Film Box") == 1


@pytest.mark.requirement("RF-4.1.2.7-03", "RF-4.2.7.3.1.4.1-03")
def test_a_printer_in_failure_stops_the_job_which_can_be_restarted_or_cancelled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    printer = PynetdicomPrinter(status="FAILURE", info="FILM JAM")
    with printing(printer) as address, caplog.at_level(logging.WARNING):
        device = make_print_device(tmp_path / "device", "rf", address)
        status, said = device.print()
        assert status == 1
        assert "FILM JAM" in said
        assert (printer.names, printer.end) == (ORDER[:2], "A-RELEASE")
        assert "FILM JAM" in device.reason()
        assert "cancel the job or retry it" in device.reason()
        assert any(record.__dict__.get("info") == "FILM JAM" for record in caplog.records)
        printer.status = printer.info = "NORMAL"
        job = device.last_job().job.id
        assert device.do("jobs", "retry", job)[0] == 0
        assert device.work()
        assert device.last_job().job.state is JobState.DONE
        printer.status = "FAILURE"
        device.print()
        assert device.do("jobs", "cancel", device.last_job().job.id)[0] == 0
        assert device.last_job().job.state is JobState.CANCELLED


@pytest.mark.requirement("RF-4.2.7.3.1.4.1-04")
def test_a_printer_in_warning_prints_and_its_info_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    printer = PynetdicomPrinter(status="WARNING", info="SUPPLY LOW")
    with caplog.at_level(logging.WARNING):
        device, status = print_with(tmp_path, printer)
    assert (status, printer.names) == (0, ORDER)
    assert "SUPPLY LOW" in device.last_job().job.reason
    assert any(record.__dict__.get("info") == "SUPPLY LOW" for record in caplog.records)


def test_a_presentation_lut_that_the_printer_refuses_is_no_error(tmp_path: Path) -> None:
    switch = "[parameters.print]\npresentation_lut = true\n"
    for number, contexts in enumerate(((), ("1.2.840.10008.5.1.1.9", LUT))):
        printer = PynetdicomPrinter()
        with printing(printer, *contexts) as address:
            device = make_print_device(tmp_path / str(number), "rf", address, head=switch)
            assert device.print()[0] == 0
        (film,) = printer.find("N-CREATE Film Box")
        assert ("ReferencedPresentationLUTSequence" in film) is bool(contexts)
        assert len(printer.find("N-CREATE Presentation LUT")) == bool(contexts)


def test_the_statement_s_grids_are_the_only_layouts(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "rf", address)
        assert device.print("--layout", "4x5")[0] == 0
        for layout in ("5x1", "1x6", "ROW\\1,2", "SLIDE"):
            assert device.print("--layout", layout)[0] == 2
    assert [str(film.ImageDisplayFormat) for film in printer.find("N-CREATE Film Box")] == ["STANDARD\\4,5"]


def test_nothing_of_a_patient_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "openmodality"):
        device, _ = print_with(tmp_path, PynetdicomPrinter())
    patient = str(device.ask("studies", "list")[0]["PatientID"])
    assert patient
    assert not any(patient in str(record.__dict__) for record in caplog.records if record.name.startswith("openmod"))


def test_attributes_without_value_are_not_sent(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    print_with(tmp_path, printer)

    def find_empty(data_set: Dataset) -> list[str]:
        return [each.keyword for each in data_set.iterall() if each.is_empty]

    assert not any(find_empty(request.attributes) for request in printer.requests if request.name != "N-GET Printer")
