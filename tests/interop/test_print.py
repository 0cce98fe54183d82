"""Films between this project and others: DCMTK's printer and print spooler, and pynetdicom as a print client."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.tag import Tag
from pydicom.uid import generate_uid

from openmodality.hospital.addresses import PRINTER, Endpoint
from openmodality.hospital.hospital import Hospital
from tests.acceptance.requirements.print_device import make_print_device
from tests.peers.process import Address, accepts, free_port, run, running
from tests.peers.pynetdicom_ae import associated
from tests.peers.pynetdicom_printer import FILM_BOX, FILM_SESSION, GRAYSCALE

CONFIGURATION = """\
[[GENERAL]]
[APPLICATION]
LogDirectory = {folder}/log
[PRINT]
Directory = {folder}/spool
DetailedLog = true
BinaryLog = true
DeletePrintJobs = false
[DATABASE]
Directory = {folder}/db
[LUT]
Directory = {folder}/lut
[NETWORK]
aetitle = DCMPSTATE
[[COMMUNICATION]]
[OURS]
Type = PRINTER
Aetitle = OM_PRINT
Hostname = localhost
Port = {ours}
DisplayFormat = 1,1\\1,2
FilmDestination = MAGAZINE
FilmSizeID = 8INX10IN\\14INX17IN
MediumType = BLUE FILM
MaxDensity = 320
Supports12Bit = false
[FILMPRT]
Type = LOCALPRINTER
Aetitle = FILMPRT
Hostname = localhost
Port = {port}
BorderDensity = 150\\20\\BLACK\\WHITE
DisplayFormat = 1,1\\1,2\\2,2\\2,3\\3,3\\3,4
EmptyImageDensity = 20\\BLACK\\WHITE
FilmDestination = MAGAZINE\\PROCESSOR
FilmSizeID = 8INX10IN\\14INX17IN
MagnificationType = REPLICATE\\BILINEAR\\CUBIC\\NONE
MaxDensity = 320
MaxPDU = 32768
MediumType = PAPER\\CLEAR FILM\\BLUE FILM
MinDensity = 20
ResolutionID = STANDARD
SmoothingType = NONE
Supports12Bit = true
SupportsImageSize = true
SupportsPresentationLUT = true
SupportsTrim = true
[[USERS]]
"""


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with Hospital(tmp_path / "hospital", Endpoint("RIS"), Endpoint("PACS"), Endpoint(PRINTER.aet)) as hospital:
        yield hospital


@pytest.mark.needs("dcmprscp")
def test_dcmtk_prints_a_film_of_the_rf_device_without_what_it_refuses(tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "dcmtk"
    for name in ("log", "spool", "db", "lut"):
        (folder / name).mkdir(parents=True)
    configuration = folder / "dcmpstat.cfg"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, ours=free_port()), encoding="ascii")
    words = ("dcmprscp", "-c", configuration, "--printer", "FILMPRT")
    more = '\n[printers.plain]\npeer = "film"\nsmoothing_types = ["NONE"]\nleft_out = ["ConfigurationInformation"]\n'
    with running(*words, log=folder / "printer.log", ready=lambda: accepts(port)):
        device = make_print_device(tmp_path / "device", "rf", Address("FILMPRT", port), more=more)
        status, said = device.print("--size", "8INX10IN", printer="plain")
        assert status == 0, said
        status, said = device.print("--size", "8INX10IN")
        assert (status, "film answered N-CREATE Film Box with 010" in device.reason()) == (1, True)
    (hardcopy,) = (dcmread(path) for path in (folder / "db").glob("HG_*.dcm"))
    assert (hardcopy.Rows, hardcopy.Columns, hardcopy.BitsStored) == (1024, 1024, 8)


@pytest.mark.needs("dcmprscp", "dcmprscu")
def test_dcmtk_prints_our_film_and_prints_it_again_on_our_printer(tmp_path: Path, hospital: Hospital) -> None:
    port, folder = free_port(), tmp_path / "dcmtk"
    for name in ("log", "spool", "db", "lut"):
        (folder / name).mkdir(parents=True)
    text = CONFIGURATION.format(folder=folder, port=port, ours=hospital.peer("printer").port)
    configuration = folder / "dcmpstat.cfg"
    configuration.write_text(text, encoding="ascii")
    words = ("dcmprscp", "-c", configuration, "--printer", "FILMPRT")
    with running(*words, log=folder / "printer.log", ready=lambda: accepts(port)):
        ours = hospital.peer("printer")
        address = f'ae_title = "{ours.ae_title}"\nhost = "{ours.host}"\nport = {ours.port}\n'
        more = f'\n[peers.ours]\n{address}services = ["print"]\n'
        device = make_print_device(tmp_path / "device", "mr", Address("FILMPRT", port), images=2, more=more)
        status, _ = device.print("--layout", "1x2", "--copies", 2, "--size", "8INX10IN")
        assert status == 0, (folder / "printer.log").read_text(encoding="utf-8")
    hardcopies = [dcmread(path) for path in (folder / "db").glob("HG_*.dcm")]
    (stored,) = (folder / "db").glob("SP_*.dcm")
    again = run("dcmprscu", "-c", configuration, "--printer", "OURS", stored, cwd=folder)
    assert again.status == 0, again.output
    assert device.print("--layout", "1x2", "--size", "8INX10IN", printer="ours")[0] == 0
    by_dcmtk, by_us = hospital.printer.films
    assert by_dcmtk.film.image_display_format == "STANDARD\\1,2"
    assert (by_dcmtk.film.film_size_id, by_dcmtk.film.film_orientation) == ("8INX10IN", "PORTRAIT")
    sent = {image.pixels.tobytes() for image in by_us.film.images}
    assert len(sent) == 2
    assert {hardcopy.PixelData[: hardcopy.Rows * hardcopy.Columns] for hardcopy in hardcopies} == sent
    assert {image.pixels.tobytes() for image in by_dcmtk.film.images} == sent


def test_pynetdicom_prints_on_our_printer(hospital: Hospital) -> None:
    peer = hospital.peer("printer")
    with associated(Address(peer.ae_title, peer.port), [GRAYSCALE]) as association:
        status, attributes = association.send_n_get(
            [Tag(0x2110, 0x0010)], "1.2.840.10008.5.1.1.16", "1.2.840.10008.5.1.1.17", meta_uid=GRAYSCALE
        )
        assert attributes is not None
        assert (status.Status, attributes.PrinterStatus) == (0, "NORMAL")
        session_uid, film_uid = generate_uid(), generate_uid()
        session = Dataset()
        session.NumberOfCopies, session.SmoothingType = 1, ""
        assert association.send_n_create(session, FILM_SESSION, session_uid, meta_uid=GRAYSCALE)[0].Status == 0
        film, reference = Dataset(), Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = FILM_SESSION, session_uid
        film.ImageDisplayFormat, film.FilmSizeID, film.MaxDensity = "STANDARD\\1,1", "A4", 500
        film.ReferencedFilmSessionSequence = [reference]
        status, made = association.send_n_create(film, FILM_BOX, film_uid, meta_uid=GRAYSCALE)
        assert status.Status == 0xB605
        assert made is not None
        (box,) = made.ReferencedImageBoxSequence
        assert association.send_n_action(None, 1, FILM_BOX, film_uid, meta_uid=GRAYSCALE)[0].Status == 0xB603
        wrong = make_box(np.zeros((4, 4), np.uint8), rows=5)
        sent = (box.ReferencedSOPClassUID, box.ReferencedSOPInstanceUID)
        assert association.send_n_set(wrong, *sent, meta_uid=GRAYSCALE)[0].Status == 0x0106
        right = make_box(np.arange(16, dtype=np.uint8).reshape(4, 4))
        assert association.send_n_set(right, *sent, meta_uid=GRAYSCALE)[0].Status == 0
        assert association.send_n_action(None, 1, FILM_BOX, film_uid, meta_uid=GRAYSCALE)[0].Status == 0
        assert association.send_n_delete(FILM_SESSION, session_uid, meta_uid=GRAYSCALE).Status == 0
    empty, printed = hospital.printer.films
    assert empty.film.images == ()
    assert np.array_equal(printed.film.images[0].pixels, np.arange(16).reshape(4, 4))
    assert [complaint.text for complaint in hospital.complaints] == [
        "PYNETDICOM: (2010,0080) SmoothingType is sent without a value"
    ]


def make_box(pixels: NDArray[np.uint8], rows: int = 4) -> Dataset:
    box, item = Dataset(), Dataset()
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.Rows, item.Columns = rows, 4
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 8, 8, 7, 0
    item.PixelData = pixels.tobytes()
    box.ImageBoxPosition, box.BasicGrayscaleImageSequence = 1, [item]
    return box
