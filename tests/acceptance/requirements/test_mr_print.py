"""MR 4: the device prints; what it sends is read by pynetdicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import UID

from openmodality.imaging.film.draw import save_films
from openmodality.objects.film_reading import read_film, read_image
from openmodality.store.states import JobState
from tests.acceptance.requirements.print_device import make_print_device
from tests.peers.pynetdicom_printer import COLOR, GRAYSCALE, LUT, PynetdicomPrinter, printing

SHEET = ["N-CREATE Film Box", "N-SET Grayscale Image Box", "N-ACTION Film Box"]
START, END = ["A-ASSOCIATE", "N-GET Printer", "N-CREATE Film Session"], ["N-DELETE Film Session"]
COLOR_PEER = 'print_color = "color"\n'


@pytest.mark.requirement(
    "MR-2.2-01", "MR-2.2.1-01", "MR-2.2.1-02", "MR-2.2.2-03", "MR-4-01", "MR-4-02", "MR-4.1.2-01", "MR-4.2-01",
    "MR-4.2.1.1-01", "MR-4.2.1.3-01", "MR-4.2.1.3-02", "MR-4.2.1.3-03", "MR-4.2.1.3-05", "MR-4.2.1.3-07",
)  # fmt: skip
def test_sheets_are_printed_and_each_film_box_is_deleted(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address, images=2)
        assert device.print("--layout", "1x1")[0] == 0
    assert printer.names == [*START, *SHEET, "N-DELETE Film Box", *SHEET, *END]
    by_name = {request.name: request.uid for request in reversed(printer.requests)}
    assert by_name["N-DELETE Film Box"] == by_name["N-ACTION Film Box"] == by_name["N-CREATE Film Box"]
    assert by_name["N-DELETE Film Session"] == by_name["N-CREATE Film Session"]
    assert printer.end == "A-RELEASE"


@pytest.mark.requirement("MR-4.1.3-01", "MR-4.2.1.2-01", "MR-4.2.1.2-02")
@pytest.mark.parametrize(("kind", "expected"), [("grayscale", GRAYSCALE), ("color", COLOR)])
def test_one_meta_sop_class_is_proposed_by_the_site_file(tmp_path: Path, kind: str, expected: str) -> None:
    printer = PynetdicomPrinter()
    syntaxes = ["ImplicitVRLittleEndian", "ExplicitVRLittleEndian", "ExplicitVRBigEndian"]
    peer = f'print_color = "{kind}"\n[peers.film.parameters.print]\ntransfer_syntaxes = {syntaxes}\n'
    with printing(printer, GRAYSCALE, COLOR) as address:
        assert make_print_device(tmp_path / "device", "mr", address, peer=peer).print()[0] == 0
    asked = printer.associations[0].requestor
    assert [context.abstract_syntax for context in asked.requested_contexts] == [expected]
    assert [str(uid) for uid in asked.requested_contexts[0].transfer_syntax] == [
        "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
    ]  # fmt: skip
    assert asked.asynchronous_operations in ((1, 1), None)
    assert (asked.role_selection, asked.sop_class_extended) == ({}, {})


@pytest.mark.requirement("MR-4.2.1.3-06", "MR-4.2.1.3-08", "MR-11.2-07", "MR-11.2-08", "MR-11.2-09")
def test_session_and_film_box_have_what_is_configured(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    lines = (
        'film_sizes = ["A3", "A4"]\nmedium_types = ["MAMMO CLEAR FILM"]\nfilm_destinations = ["BIN_1"]\n'
        'memory_allocation = 512\nsmoothing_types = ["SHARP"]\nconfiguration_information = ["LUT=1"]\n'
        'border_density = "150"\nempty_image_density = "WHITE"\nmin_density = 30\nmax_density = 310\ntrim = "YES"\n'
        "illumination = 2000\nreflected_ambient_light = 10\n"
    )
    head = "[parameters.print]\npresentation_lut = true\ncopies = 2\n"
    with printing(printer, GRAYSCALE, LUT) as address:
        device = make_print_device(tmp_path / "device", "mr", address, more=lines, head=head)
        assert device.print("--label", "Köpfe", "--layout", "ROW\\1,2")[0] == 0
    (session,), (film,) = printer.find("N-CREATE Film Session"), printer.find("N-CREATE Film Box")
    assert {each.keyword: str(each.value) for each in session} == {
        "SpecificCharacterSet": "ISO_IR 100", "NumberOfCopies": "2", "PrintPriority": "MED",
        "MediumType": "MAMMO CLEAR FILM", "FilmDestination": "BIN_1", "FilmSessionLabel": "Köpfe",
        "MemoryAllocation": "512",
    }  # fmt: skip
    uids = {request.name: request.uid for request in printer.requests}
    (session_reference,), (lut,) = film.ReferencedFilmSessionSequence, film.ReferencedPresentationLUTSequence
    assert [str(each.value) for each in session_reference] == ["1.2.840.10008.5.1.1.1", uids["N-CREATE Film Session"]]
    assert [str(each.value) for each in lut] == [LUT, uids["N-CREATE Presentation LUT"]]
    del film.ReferencedFilmSessionSequence, film.ReferencedPresentationLUTSequence
    assert {each.keyword: str(each.value) for each in film} == {
        "ImageDisplayFormat": "ROW\\1,2", "FilmOrientation": "PORTRAIT", "FilmSizeID": "A3",
        "MagnificationType": "CUBIC", "SmoothingType": "SHARP", "BorderDensity": "150", "EmptyImageDensity": "WHITE",
        "MinDensity": "30", "MaxDensity": "310", "Trim": "YES", "ConfigurationInformation": "LUT=1",
        "Illumination": "2000", "ReflectedAmbientLight": "10",
    }  # fmt: skip


@pytest.mark.requirement("MR-11.2-10")
@pytest.mark.parametrize("switch", [True, False])
def test_the_presentation_lut_is_switched_on_by_configuration(tmp_path: Path, switch: bool) -> None:
    printer = PynetdicomPrinter()
    head = f"[parameters.print]\npresentation_lut = {str(switch).lower()}\n"
    with printing(printer, GRAYSCALE, LUT) as address:
        assert make_print_device(tmp_path / "device", "mr", address, head=head).print()[0] == 0
    proposed = {context.abstract_syntax for context in printer.associations[0].requestor.requested_contexts}
    assert proposed == ({GRAYSCALE, LUT} if switch else {GRAYSCALE})
    assert [str(each.PresentationLUTShape) for each in printer.find("N-CREATE Presentation LUT")] == [
        "IDENTITY"
    ] * switch


@pytest.mark.requirement("MR-4.2.1.3-09")
@pytest.mark.parametrize(
    ("lines", "bits", "interpretation"),
    [
        ("", 8, "MONOCHROME2"), ("bits = 12\n", 12, "MONOCHROME2"),
        ('photometric_interpretation = "MONOCHROME1"\n', 8, "MONOCHROME1"),
    ],
)  # fmt: skip
def test_a_grayscale_image_box(tmp_path: Path, lines: str, bits: int, interpretation: str) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        assert make_print_device(tmp_path / "device", "mr", address, more=lines).print("--true-size")[0] == 0
    (box,) = printer.find("N-SET Grayscale Image Box")
    (item,) = box.BasicGrayscaleImageSequence
    assert (box.ImageBoxPosition, box.Polarity, float(box.RequestedImageSize) > 0) == (1, "NORMAL", True)
    assert (item.SamplesPerPixel, item.PhotometricInterpretation) == (1, interpretation)
    assert (item.BitsAllocated, item.BitsStored, item.HighBit) == ((8, 8, 7) if bits == 8 else (16, 12, 11))
    assert (item.PixelRepresentation, len(item.PixelData)) == (0, item.Rows * item.Columns * item.BitsAllocated // 8)


def test_black_and_white_are_turned_for_a_printer_that_takes_monochrome1(tmp_path: Path) -> None:
    pictures = []
    for interpretation in ("MONOCHROME1", "MONOCHROME2"):
        printer = PynetdicomPrinter()
        with printing(printer) as address:
            lines = f'photometric_interpretation = "{interpretation}"\n'
            make_print_device(tmp_path / interpretation, "mr", address, more=lines).print("--no-annotation")
        image = read_image(printer.find("N-SET Grayscale Image Box")[0])
        assert image is not None
        pictures.append(image.pixels.astype(int))
    assert np.array_equal(255 - pictures[0], pictures[1])


@pytest.mark.requirement("MR-4-03", "MR-4.2.1.3-04", "MR-4.2.1.3-10")
def test_a_color_image_box(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer, COLOR) as address:
        assert make_print_device(tmp_path / "device", "mr", address, peer=COLOR_PEER).print()[0] == 0
    (box,) = printer.find("N-SET Color Image Box")
    (item,) = box.BasicColorImageSequence
    assert (box.ImageBoxPosition, box.Polarity) == (1, "NORMAL")
    assert (item.SamplesPerPixel, item.PhotometricInterpretation, item.PlanarConfiguration) == (3, "RGB", 1)
    assert (item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation) == (8, 8, 7, 0)
    assert len(item.PixelData) == 3 * item.Rows * item.Columns


@pytest.mark.requirement("MR-4.2.1.3-12")
def test_the_printer_is_asked_for_all_it_can_say(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address)
        (shown,) = device.ask("printer", "show", "film")
    assert printer.find("N-GET Printer")[0].AttributeIdentifierList == [
        0x21100010, 0x21100020, 0x21100030, 0x00080070, 0x00081090, 0x00181000, 0x00181020,
    ]  # fmt: skip
    assert shown["reported"] == {"PrinterStatus": "NORMAL", "PrinterStatusInfo": "NORMAL"}


@pytest.mark.requirement("MR-4.1.1-01", "MR-4.1.1-02", "MR-4.1.1-03", "MR-2.2.2-02")
def test_each_of_several_printers_has_an_association_of_its_own(tmp_path: Path) -> None:
    first, second = PynetdicomPrinter(), PynetdicomPrinter()
    with printing(first) as address, printing(second, aet="SECOND") as other:
        more = f'\n[peers.second]\nae_title = "SECOND"\nhost = "127.0.0.1"\nport = {other.port}\nservices = ["print"]\n'
        device = make_print_device(tmp_path / "device", "mr", address, more=more)
        assert device.print()[0] == 0
        assert device.print(printer="second")[0] == 0
    assert [len(printer.associations) for printer in (first, second)] == [1, 1]
    assert [printer.associations[0].requestor.primitive.called_ae_title for printer in (first, second)] == [
        "PRINTER", "SECOND",
    ]  # fmt: skip


@pytest.mark.requirement("MR-2.2.2-04")
def test_what_the_printer_refuses_is_shown(tmp_path: Path) -> None:
    printer = PynetdicomPrinter({"N-ACTION Film Box": 0xC602})
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address)
        status, said = device.print()
        assert (status, "C602" in said, "print queue is full" in said) == (1, True, True)
        assert "C602" in device.do("jobs", "list")[1]


def test_a_session_is_printed_as_a_whole_where_the_printer_wants_it(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address, images=2, more='print_by = "session"\n')
        assert device.print("--layout", "1x1")[0] == 0
    assert printer.names == [*START, *SHEET[:2], *SHEET[:2], "N-ACTION Film Session", *END]


def test_the_preview_is_pixel_for_pixel_what_is_sent(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address, images=2)
        words = ("--layout", "1x2", "--size", "8INX10IN")
        assert device.print(*words, "--preview", tmp_path / "preview.png")[0] == 0
        assert printer.names == []
        assert device.print(*words)[0] == 0
    images = [image for box in printer.find("N-SET Grayscale Image Box") if (image := read_image(box)) is not None]
    film = read_film(printer.find("N-CREATE Film Box")[0], images)
    save_films([film], tmp_path / "sent.png", dots_per_inch=300)
    shown, sent = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("preview", "sent"))
    assert np.array_equal(shown, sent)


def test_a_sheet_without_answer_is_asked_about_and_not_printed_again(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address, images=3)
        printer.dies_at = 2
        assert device.print("--layout", "1x1")[0] == 1
        assert "sheet 2 may have been printed, or not" in device.reason()
        assert printer.names.count("N-ACTION Film Box") == 2
        status, said = device.do("jobs", "retry", 1)
        assert (status, "--film printed" in said) == (2, True)
        assert device.do("jobs", "retry", 1, "--film", "printed")[0] == 0
        assert device.work()
        assert printer.names.count("N-ACTION Film Box") == 3
        printer.dies_at = 4
        assert device.print("--layout", "1x1")[0] == 1
        assert device.do("jobs", "retry", 2, "--film", "again")[0] == 0
        assert device.work()
    assert printer.names.count("N-ACTION Film Box") == 3 + 1 + 3
    assert device.last_job().job.state is JobState.DONE
    assert device.do("jobs", "retry", 2, "--film", "again")[0] == 2


def test_what_is_no_image_is_not_printed_and_bad_input_is_one_line(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address)
        for words, said in (
            (("print", "nowhere", "--study", device.study), "has no peer 'nowhere'"),
            (("print", "film"), "nothing is chosen"),
            (("print", "film", "--study", "1.2.3"), "no such"),
            (("print", "film", "--study", device.study, "--size", "A3"), "has no film size 'A3'"),
            (("print", "film", "--study", device.study, "--window", "x"), "is no window"),
            (("print", "film", "--study", device.study, "--preview", "a.gif"), "neither a .pdf nor a .png"),
        ):
            status, text = device.do(*words)
            assert (status in (1, 2), said in text, text.count("\n") <= 1) == (True, True, True), text
        assert device.ask("jobs", "list") == []
    assert printer.names == []


def test_two_patients_do_not_stand_on_one_sheet_unless_it_is_said(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address)
        (path,) = (tmp_path / "device" / "source").iterdir()
        other = dcmread(path)
        other.PatientID, other.SOPInstanceUID = "OTHER", UID("1.2.3.4")
        other.StudyInstanceUID, other.SeriesInstanceUID = UID("1.2.3.5"), UID("1.2.3.6")
        other.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
        other.save_as(tmp_path / "other.dcm", enforce_file_format=True)
        assert device.do("import", tmp_path / "other.dcm")[0] == 0
        status, said = device.print("--study", "1.2.3.5")
        assert (status, "images of 2 patients would stand on one sheet" in said) == (2, True)
        assert device.ask("jobs", "list") == []
        assert device.print("--study", "1.2.3.5", "--mixed")[0] == 0
