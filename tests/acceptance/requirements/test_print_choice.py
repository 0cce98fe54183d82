"""What is printed and how it is shown: key object documents, presentation states and scouts, all by command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from openmodality import Modality
from openmodality.activities.film_order import FilmOrder
from openmodality.app.local_data import Chosen
from tests.acceptance.in_process import call
from tests.acceptance.requirements.print_device import PrintDevice, make_print_device
from tests.peers import objects
from tests.peers.process import run
from tests.peers.pynetdicom_printer import PynetdicomPrinter, printing

KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
GSPS = "1.2.840.10008.5.1.4.1.1.11.1"


@dataclass(slots=True)
class Bench:
    """A device before a recording printer, with a study of three images."""

    device: PrintDevice
    printer: PynetdicomPrinter
    images: list[FileDataset]
    folder: Path

    @property
    def boxes(self) -> list[Dataset]:
        return self.printer.find("N-SET Grayscale Image Box")

    def keep(self, document: FileDataset) -> Path:
        """A document as a file."""
        path = self.folder / f"{document.SOPInstanceUID}.dcm"
        document.save_as(path, enforce_file_format=True)
        return path

    def bring(self, *documents: FileDataset) -> None:
        """Import documents."""
        for document in documents:
            assert self.device.do("import", self.keep(document))[0] == 0

    def print(self, *words: object) -> list[NDArray[np.uint8]]:
        """Print; the pictures that the printer has got."""
        before = len(self.boxes)
        status, said = self.device.do("print", "film", *words, "--no-annotation")
        assert status == 0, said
        return [read_box(box) for box in self.boxes[before:]]


def read_box(box: Dataset) -> NDArray[np.uint8]:
    (item,) = box.BasicGrayscaleImageSequence
    return np.frombuffer(item.PixelData, np.uint8)[: item.Rows * item.Columns].reshape(item.Rows, item.Columns)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address, images=3)
        files = sorted((tmp_path / "device" / "source").rglob("*.dcm"))
        images = sorted(map(dcmread, files), key=lambda each: int(each.InstanceNumber))
        yield Bench(device, printer, images, tmp_path)


def make_document(sop_class_uid: str, like: FileDataset, modality: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, UID(sop_class_uid)
    document = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyTime", "AccessionNumber"):
        setattr(document, keyword, like.get(keyword, ""))
    document.SOPClassUID, document.SOPInstanceUID = sop_class_uid, generate_uid()
    meta.MediaStorageSOPInstanceUID = document.SOPInstanceUID
    document.SeriesInstanceUID, document.Modality = generate_uid(), modality
    document.SeriesNumber, document.InstanceNumber, document.StudyID = 90, 1, "1"
    document.PatientBirthDate = document.PatientSex = document.ReferringPhysicianName = ""
    document.Manufacturer = "Other"
    return document


def refer_to(image: Dataset, **values: object) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def make_key_objects(images: Sequence[Dataset], **values: object) -> FileDataset:
    """As another system may make one: its references a level below the root."""
    document = make_document(KEY_OBJECTS, images[0], "KO")  # type: ignore[arg-type]
    document.ContentDate, document.ContentTime = "20261122", "120000"
    document.ValueType, document.ContinuityOfContent = "CONTAINER", "SEPARATE"
    group = Dataset()
    group.ValueType, group.RelationshipType, group.ContentSequence = "CONTAINER", "CONTAINS", []
    for image in images:
        content = Dataset()
        content.ValueType, content.RelationshipType = "IMAGE", "CONTAINS"
        content.ReferencedSOPSequence = [refer_to(image, **values)]
        group.ContentSequence.append(content)
    document.ContentSequence = [group]
    return document


def make_state(images: Sequence[Dataset], **values: object) -> FileDataset:
    state = make_document(GSPS, images[0], "PR")  # type: ignore[arg-type]
    state.PresentationCreationDate, state.PresentationCreationTime = "20261122", "120000"
    state.ContentLabel, state.ContentDescription, state.ContentCreatorName = "STATE", "", ""
    series, voi = Dataset(), Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ReferencedImageSequence = [refer_to(image) for image in images]
    state.ReferencedSeriesSequence = [series]
    voi.WindowCenter, voi.WindowWidth = "2000", "1000"
    state.SoftcopyVOILUTSequence, state.PresentationLUTShape = [voi], "INVERSE"
    for keyword, value in values.items():
        setattr(state, keyword, value)
    return state


def expect(image: FileDataset, center: float = 2000, width: float = 1000) -> NDArray[np.uint8]:
    """The image through a window, black and white turned: PS3.3 C.11.2.1.2 written once more."""
    shares = (image.pixel_array.astype(float) - (center - 0.5)) / (width - 1) + 0.5
    return np.rint(255 * (1 - np.clip(shares, 0, 1))).astype(np.uint8)


def test_a_key_object_document_of_others_is_printed_in_its_order(bench: Bench) -> None:
    document = make_key_objects([bench.images[2], bench.images[0]])
    bench.bring(document)
    state = make_state(bench.images)
    bench.bring(state)
    words = ("--key-object", document.SOPInstanceUID, "--presentation", state.SOPInstanceUID, "--layout", "1x2")
    third, first = bench.print(*words)
    assert np.array_equal(third, expect(bench.images[2]))
    assert np.array_equal(first, expect(bench.images[0]))


def test_the_state_that_a_document_names_is_applied(bench: Bench) -> None:
    state = make_state(bench.images[:1])
    document = make_key_objects(bench.images[:1], ReferencedSOPSequence=[refer_to(state)])
    bench.bring(document, state)
    (shown,) = bench.print("--key-object", document.SOPInstanceUID)
    assert np.array_equal(shown, expect(bench.images[0]))


def test_a_document_with_images_that_are_not_here_is_refused(bench: Bench) -> None:
    stranger = objects.mr_image()
    document = make_key_objects([bench.images[0], stranger])
    bench.bring(document)
    status, said = bench.device.do("print", "film", "--key-object", document.SOPInstanceUID)
    assert status == 1
    assert "1 of 2 images of key object document" in said
    assert "retrieve them" in said
    status, said = bench.device.do("print", "film", "--key-object", bench.images[0].SOPInstanceUID)
    assert status == 2
    assert "is no Key Object Selection document" in said
    assert bench.device.ask("jobs", "list") == []


def test_a_state_by_uid_or_file_is_applied_to_its_images(bench: Bench) -> None:
    state = make_state(bench.images[:1])
    path = bench.keep(state)
    shown, _, other = bench.print("--study", bench.device.study, "--presentation", path)
    assert np.array_equal(shown, expect(bench.images[0]))
    assert not np.array_equal(other, expect(bench.images[2]))
    (alone,) = bench.print("--presentation", state.SOPInstanceUID)
    assert np.array_equal(alone, expect(bench.images[0]))
    (windowed,) = bench.print("--presentation", state.SOPInstanceUID, "--window", "500,400")
    assert np.array_equal(windowed, expect(bench.images[0], 500, 400))


def test_the_graphics_and_the_displayed_area_of_a_state_are_printed(bench: Bench) -> None:
    graphic, annotation, area, layer = Dataset(), Dataset(), Dataset(), Dataset()
    graphic.GraphicAnnotationUnits, graphic.GraphicDimensions, graphic.NumberOfGraphicPoints = "DISPLAY", 2, 2
    graphic.GraphicData, graphic.GraphicType, graphic.GraphicFilled = [0.5, 0.25, 0.5, 0.75], "POLYLINE", "N"
    annotation.GraphicLayer, annotation.GraphicObjectSequence = "LAYER1", [graphic]
    layer.GraphicLayer, layer.GraphicLayerOrder = "LAYER1", 1
    area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner = [1, 1], [64, 32]
    area.PresentationSizeMode = "SCALE TO FIT"
    state = make_state(
        bench.images[:1],
        GraphicAnnotationSequence=[annotation],
        GraphicLayerSequence=[layer],
        DisplayedAreaSelectionSequence=[area],
        ImageRotation=0,
        ImageHorizontalFlip="Y",
    )
    bench.bring(state)
    (shown,) = bench.print("--presentation", state.SOPInstanceUID)
    plain = expect(bench.images[0])[:32, ::-1]
    assert shown.shape == plain.shape
    assert np.array_equal(shown[:, :29], plain[:, :29])
    assert np.array_equal(shown[:6], plain[:6])
    assert shown[10:22, 32].min() == 255


def test_a_preview_with_a_state_in_a_file_leaves_it_there(bench: Bench) -> None:
    path = bench.keep(make_state(bench.images[:1]))
    picture = bench.folder / "sheet.png"
    assert bench.device.do("print", "film", "--presentation", path, "--preview", picture)[0] == 0
    assert picture.exists()
    assert len(bench.device.ask("instances", "list")) == 3


def test_a_state_that_is_for_none_of_the_images_is_refused(bench: Bench) -> None:
    state = make_state(bench.images[:1])
    bench.bring(state)
    words = ("--instance", bench.images[1].SOPInstanceUID, "--presentation", state.SOPInstanceUID)
    status, said = bench.device.do("print", "film", *words)
    assert status == 2
    assert "is for none of the images that are chosen" in said


def test_what_a_print_job_needs_is_not_deleted_under_it(bench: Bench) -> None:
    state = make_state(bench.images[:1])
    bench.bring(state)
    with Modality(bench.device.folder / "site.toml", works=False) as modality:
        modality.films.order(Chosen(), "film", FilmOrder(states=(state.SOPInstanceUID,)))
    status, _ = bench.device.do("instances", "delete", state.SOPInstanceUID, "--yes", "--force")
    assert status == 1


def test_frames_of_a_document_are_printed_alone(bench: Bench) -> None:
    pixels = np.zeros((4, 16, 16), np.uint16) + np.arange(4, dtype=np.uint16)[:, None, None] * 100
    cine = objects.mr_image(rows=16, columns=16, NumberOfFrames=4, WindowCenter="150", WindowWidth="301")
    cine.PixelData = pixels.tobytes()
    document = make_key_objects([cine], ReferencedFrameNumber=[2, 4])
    bench.bring(cine, document)
    second, fourth = bench.print("--key-object", document.SOPInstanceUID)
    assert second[0, 0] == pytest.approx(255 / 3, abs=1)
    assert fourth[0, 0] == 255


def test_a_scout_shows_lines_of_slices_on_all_sheets(tmp_path: Path) -> None:
    printer = PynetdicomPrinter()
    with printing(printer) as address:
        device = make_print_device(tmp_path / "device", "mr", address)
        study, frame = generate_uid(), generate_uid()
        common: dict[str, Any] = {"StudyInstanceUID": study, "FrameOfReferenceUID": frame, "PixelSpacing": [1, 1],
                                  "rows": 64, "columns": 64, "WindowCenter": "100000", "WindowWidth": "2"}  # fmt: skip
        scout = objects.mr_image(
            **common, ImagePositionPatient=[0, 0, 0], ImageOrientationPatient=[1, 0, 0, 0, 1, 0], InstanceNumber=9
        )
        slices = [
            objects.mr_image(
                **common,
                ImagePositionPatient=[x, 0, -32],
                ImageOrientationPatient=[0, 1, 0, 0, 0, 1],
                InstanceNumber=number,
            )
            for number, x in enumerate((10, 20, 30), start=1)
        ]
        for image in (scout, *slices):
            objects.save(image, tmp_path / "more")
        assert device.do("import", tmp_path / "more")[0] == 0
        words = ("--study", study, "--scout", scout.SOPInstanceUID, "--layout", "1x1", "--no-annotation")
        status, said = device.do("print", "film", *words)
        assert status == 0, said
        first, *others = (read_box(box) for box in printer.find("N-SET Grayscale Image Box"))
        assert np.flatnonzero(first[32] > 200).tolist() == [10, 20, 30]
        assert [other.max() for other in others] == [0, 0, 0]


@pytest.mark.needs("pdfimages")
def test_a_preview_is_a_pdf_with_the_pixels_that_are_sent(bench: Bench) -> None:
    (sent, *_) = bench.print("--study", bench.device.study)
    sheet = bench.folder / "sheet.pdf"
    words = ("--study", bench.device.study, "--no-annotation", "--preview", sheet)
    assert bench.device.do("print", "film", *words)[0] == 0
    assert run("pdfimages", "-png", sheet, bench.folder / "out", cwd=bench.folder).status == 0
    found = [np.asarray(Image.open(path)) for path in sorted(bench.folder.glob("out-*.png"))]
    assert len(found) == 3
    assert np.array_equal(found[0], sent)


def test_the_printer_is_named_by_position_or_option_or_is_the_first(bench: Bench) -> None:
    for words in (("film",), ("--printer", "film"), ()):
        assert bench.device.do("print", *words, "--study", bench.device.study)[0] == 0
    status, said = bench.device.do("print", "film", "--printer", "other", "--study", bench.device.study)
    assert status == 2
    assert "two printers are named" in said


def test_the_help_lists_what_the_printers_of_the_site_have(bench: Bench) -> None:
    status, said = call(["print", "--help"], bench.device.folder)
    assert status == 0
    listed = said[said.index("Printers of site.toml:") :]
    assert "film --size" in listed
    assert "14INX17IN" in listed
    assert "Printers of" not in call(["print", "--help"], bench.folder)[1]
