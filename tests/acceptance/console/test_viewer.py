"""The viewer in Chromium: its pixels against the server's renderer, its tools by mouse and keys, looks, key images."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Page, expect
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from openmodality import Modality
from openmodality.imaging.frames import read_frame
from openmodality.imaging.gsdf import find_jnd_index
from openmodality.imaging.presentation import read_image_presentation, read_state_presentation
from openmodality.imaging.render import render
from tests.console_site import PASSWORD, ConsolePlace, console_in_hospital
from tests.devices import quick_source, write_site
from tests.peers.browser import Watched, watch
from tests.peers.process import free_port
from tests.unit.imaging.images import grey_image

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(600)]
OTHERS = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
    "MR_small_jpeg_ls_lossless.dcm", "examples_palette.dcm", "examples_rgb_color.dcm", "examples_ybr_color.dcm",
    "examples_jpeg2k.dcm", "rtdose.dcm", "SC_rgb_rle_2frame.dcm", "SC_rgb_small_odd_big_endian.dcm",
    "liver_1frame.dcm", "image_dfl.dcm", "SC_ybr_full_422_uncompressed.dcm", "JPEG2000.dcm", "SC_rgb_jpeg_dcmtk.dcm",
)  # fmt: skip
"""Images of pydicom's: signed, 1, 8 and 16 bits, palette, RGB, YBR, multi-frame, big endian, compressed, deflated."""
SHOW = """async ([uid, number, state]) => {
    const image = document.querySelector("om-image");
    image.look = { window: null, invert: false };
    const { facts, frame } = await image.frames.get(uid, number, state);
    image.show(facts, frame);
    const reader = new FileReader();
    reader.readAsDataURL(new Blob([image.readPicture()]));
    await new Promise((done) => (reader.onload = done));
    return reader.result.split(",")[1];
}"""
ON_SCREEN = """async ([uid, state]) => {
    const image = document.querySelector("om-image");
    image.state = state;
    image.look = { window: null, invert: false };
    image.view = { zoom: 1, rotation: 0, flip: false, x: 0, y: 0 };
    const { facts, frame } = await image.frames.get(uid, 1, state);
    image.show(facts, frame);
    image.setScale(1);
    const { canvas } = image;
    const reader = new FileReader();
    reader.readAsDataURL(new Blob([image.painter.context.getImageData(0, 0, canvas.width, canvas.height).data]));
    await new Promise((done) => (reader.onload = done));
    return [canvas.width, canvas.height, reader.result.split(",")[1]];
}"""


def log_in(context: BrowserContext, place: ConsolePlace, name: str, *roles: str) -> Watched:
    place.add_user(name, *roles)
    watched = watch(context)
    watched.page.goto(place.url)
    watched.page.get_by_label("Name").fill(name)
    watched.page.get_by_label("Password").fill(PASSWORD)
    watched.page.keyboard.press("Enter")
    expect(watched.page.locator("#live")).to_have_text("live")
    return watched


def make_table(values: NDArray[np.integer], first: int, bits: int) -> Dataset:
    item = Dataset()
    item.LUTDescriptor, item.LUTData = [len(values), first, bits], values.astype("<u2").tobytes()
    return item


def make_images() -> dict[str, Dataset]:
    """Images that have each step of the pipeline."""
    ramp = np.arange(64 * 48).reshape(64, 48).astype(np.uint16) % 4096
    signed = (ramp.astype(np.int32) - 1500).astype(np.int16)
    low = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}
    bytes_ = (ramp % 256).astype(np.uint8).tobytes()
    shutter = {
        "ShutterShape": ["RECTANGULAR", "CIRCULAR", "POLYGONAL"], "ShutterLeftVerticalEdge": 4,
        "ShutterRightVerticalEdge": 45, "ShutterUpperHorizontalEdge": 3, "ShutterLowerHorizontalEdge": 60,
        "CenterOfCircularShutter": [32, 24], "RadiusOfCircularShutter": 27,
        "VerticesOfThePolygonalShutter": [2, 2, 5, 46, 62, 40, 50, 3], "ShutterPresentationValue": 20000,
    }  # fmt: skip
    window = {"WindowCenter": 1000, "WindowWidth": 1700}
    images = {
        "signed, rescaled, linear": grey_image(
            signed, RescaleSlope=1.5, RescaleIntercept=-20, WindowCenter=0, WindowWidth=900
        ),
        "linear exact": grey_image(ramp, VOILUTFunction="LINEAR_EXACT", **window),
        "sigmoid": grey_image(ramp, VOILUTFunction="SIGMOID", **window),
        "no window": grey_image(signed // 3),
        "threshold": grey_image(ramp, WindowCenter=1000, WindowWidth=1),
        "low white": grey_image(ramp, PhotometricInterpretation="MONOCHROME1", **window),
        "low white, 8 bits": grey_image(ramp, PhotometricInterpretation="MONOCHROME1", PixelData=bytes_, **low),
        "inverse": grey_image(ramp, PresentationLUTShape="INVERSE", **window),
        "VOI LUT": grey_image(ramp, VOILUTSequence=[make_table((np.arange(2000) ** 2) // 1000, 500, 12)]),
        "modality LUT": grey_image(ramp, ModalityLUTSequence=[make_table(4095 - np.arange(4096), 0, 16)], **window),
        "shutters": grey_image(ramp, **shutter, **window),
        "unused bits": grey_image(ramp | 0xA000, **window),
        "high bit elsewhere": grey_image(ramp << 4, HighBit=15, **window),
    }  # fmt: skip
    floating = grey_image(ramp, BitsAllocated=32, WindowCenter=5, WindowWidth=9, PixelData=b"")
    del floating.PixelData
    floating.FloatPixelData = (ramp / 400.0).astype("<f4").tobytes()
    return {**images, "floating point": floating}


def write_images(folder: Path) -> list[Path]:
    """All of them as instances of one series; some of pydicom's share a UID."""
    folder.mkdir()
    images = make_images()
    for image in images.values():
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    images |= {name: dcmread(str(get_testdata_file(name))) for name in OTHERS}
    study, series = generate_uid(), generate_uid()
    paths = []
    for number, (name, image) in enumerate(images.items(), 1):
        image.SOPClassUID, image.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID, image.InstanceNumber = study, series, number
        image.PatientName, image.PatientID, image.ImageComments, image.Modality = "Doe^Jane", "T1", name, "OT"
        image.file_meta.MediaStorageSOPInstanceUID, image.file_meta.MediaStorageSOPClassUID = (
            image.SOPInstanceUID,
            image.SOPClassUID,
        )
        paths.append(folder / f"{number}.dcm")
        image.save_as(paths[-1], enforce_file_format=True)
    return paths


def acquire_rf(folder: Path) -> list[Path]:
    """Images of the other device."""
    site = write_site(folder, "rf", free_port(), own_port=free_port())
    with Modality(site, works=False) as modality:
        exam = modality.start_exam(patient={"PatientID": "R1", "PatientName": "Roe^Rita"}, BodyPartExamined="ABDOMEN")
        exam.acquire(quick_source("rf"))
        return [modality.instance_path(each["SOPInstanceUID"]) for each in modality.instances()]


def decode(text: str, rows: int, columns: int) -> NDArray[np.uint8]:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(rows, columns, 4)


def find_difference(page: Page, uid: str, number: int, data_set: Dataset) -> int:
    """By how many grey levels a picture differs from the server's at most."""
    expected = render(read_frame(data_set, number), read_image_presentation(data_set, number)).astype(int)
    shown = decode(page.evaluate(SHOW, [uid, number, ""]), *expected.shape[:2]).astype(int)[..., :3]
    assert expected.max() > expected.min() or expected.size == 1, "a picture of one grey shows nothing"
    return int(np.abs(shown - (expected if expected.ndim == 3 else expected[..., np.newaxis])).max())


def test_the_browser_shows_what_the_server_renders(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path / "device") as place:
        paths = [*write_images(tmp_path / "made"), *acquire_rf(tmp_path / "rf")]
        exam = place.modality.start_exam(patient={"PatientID": "M1", "PatientName": "Doe^Jane"})
        exam.acquire(quick_source("mr"))
        imported = place.modality.import_files(paths)
        listed = [each["SOPInstanceUID"] for each in place.modality.instances() if each["Rows"]]
        assert len(listed) >= len(OTHERS) + len(make_images()) + 3, imported
        page = log_in(context, place, "anna", "viewer").page
        series = place.modality.series(SeriesDescription="*", Modality="MR")[0]["SeriesInstanceUID"]
        for painter in ("webgl-always", "canvas"):
            page.goto(f"{place.url}/viewer/series/{series}?painter={painter}")
            expect(page.locator("om-image[data-shown]")).to_have_attribute(
                "data-painter", "canvas" if painter == "canvas" else "WebGL2"
            )
            differences = {}
            for uid in listed:
                data_set = dcmread(place.modality.instance_path(uid))
                for number in {1, int(data_set.get("NumberOfFrames") or 1)}:
                    kind = f"{data_set.get('ImageComments', uid)} {number}"
                    differences[kind] = find_difference(page, uid, number, data_set)
            assert {kind: far for kind, far in differences.items() if far > 1} == {}, painter
        exam.discontinue()


def test_a_presentation_state_turns_the_picture_as_the_server_does(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        exam = place.modality.start_exam(patient={"PatientID": "M1", "PatientName": "Doe^Jane"})
        exam.acquire(quick_source("mr"))
        uid = place.modality.instances()[0]["SOPInstanceUID"]
        series = place.modality.series()[0]["SeriesInstanceUID"]
        page = log_in(context, place, "anna", "senior").page
        page.goto(f"{place.url}/viewer/series/{series}?instance={uid}&painter=canvas")
        expect(page.locator("om-image[data-shown]")).to_be_visible()
        for keys in ("r", "h", "ri", "rrh"):
            page.keyboard.press("0")
            for key in keys:
                page.keyboard.press(key)
            save = page.get_by_role("button", name="Save presentation state")
            if not save.is_visible():
                page.get_by_text("Save this look").click()
            page.get_by_label("What it is for").fill(f"turned {keys}")
            save.click()
            expect(page.locator("form[action$=state] [data-answer]")).to_contain_text("Saved as presentation state")
            expect(page.locator(f"#state option:has-text('turned {keys}')")).to_have_count(1)
            option = page.locator(f"#state option:has-text('turned {keys}')").get_attribute("value") or ""
            page.get_by_text("Save this look").click()
            page.locator("om-image").focus()
            state, image = (dcmread(place.modality.instance_path(each)) for each in (option, uid))
            expected = render(read_frame(image), read_state_presentation(state, image)).astype(int)
            assert expected.max() > expected.min()
            width, height, content = page.evaluate(ON_SCREEN, [uid, option])
            shown = decode(content, height, width).astype(int)[..., 0]
            rows, columns = expected.shape
            top, left = round(height / 2 - rows / 2), round(width / 2 - columns / 2)
            part = shown[top : top + rows, left : left + columns]
            assert np.abs(part - expected).max() <= 1, keys
            page.evaluate("document.querySelector('om-image').state = ''")
        exam.discontinue()


@pytest.mark.requirement("RF-8.4-01")
def test_grey_reaches_a_calibrated_monitor_by_the_display_function(context: BrowserContext, tmp_path: Path) -> None:
    """The luminance of a screen of known levels, as a meter would see it: equal steps of P-values are equal in JND."""
    levels = np.arange(256) / 255
    measured = 0.6 + 320 * levels**2.2
    screen = tmp_path / "screen.csv"
    screen.write_text("".join(f"{each:.6f}\n" for each in measured))
    with console_in_hospital(tmp_path / "device", "rf", settings=f'display_lut = "{screen}"') as place:
        page = log_in(context, place, "anna", "viewer").page
        page.goto(f"{place.url}/viewer/pattern")
        expect(page.locator("om-image[data-shown]")).to_be_visible()
        assert "screen.csv" in page.locator(".lead").inner_text()
        ramp = decode(page.evaluate(SHOW, ["pattern", 1, ""]), 768, 1024)[0, :, 0]
        seen = find_jnd_index(measured[ramp])
        black, white = find_jnd_index(measured[[0, -1]])
        wanted = np.linspace(black, white, 1024)
        assert np.abs(seen - wanted).max() < 4, "a level of eight bits is up to 3 JND wide on this screen"


def test_tools_by_mouse_and_by_keys(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        exam = place.modality.start_exam(patient={"PatientID": "M1", "PatientName": "Doe^Jane"})
        exam.acquire(quick_source("mr"))
        watched = log_in(context, place, "anna", "senior")
        page, keys = watched.page, watched.page.keyboard
        page.goto(f"{place.url}/exam/{exam.id}")
        page.locator(".strip a").first.click()
        image = page.locator("om-image")
        expect(page.locator("om-image[data-shown]")).to_be_visible()
        expect(page.locator("[data-count]")).to_have_text("of 2")
        image.focus()
        for theme in ("dark", "light"):
            context.add_cookies([{"name": "openmodality-theme", "value": theme, "url": place.url}])
            page.reload()
            expect(page.locator("om-image[data-shown]")).to_be_visible()
            expect(page.locator("#preset option")).not_to_have_count(1)
            assert watched.find_violations() == [], theme
        check_slices_and_window(page)
        check_measuring(page)
        check_saving(page, place)
        page.goto(f"{place.url}/viewer/pattern")
        expect(page.locator("om-image[data-shown]")).to_be_visible()
        assert watched.find_violations() == []
        assert watched.wrong == []
        keys.press("Escape")
        expect(page.get_by_role("heading", name="Images")).to_be_visible()
        exam.discontinue()


def read_number(page: Page, label: str) -> float:
    return float(page.get_by_label(label, exact=True).input_value())


def check_slices_and_window(page: Page) -> None:
    keys = page.keyboard
    slice_ = page.get_by_label("Image number")
    page.locator("om-image").focus()
    keys.press("ArrowDown")
    expect(slice_).to_have_value("2")
    keys.press("Home")
    expect(slice_).to_have_value("1")
    keys.press("PageDown")
    expect(slice_).to_have_value("2")
    slice_.fill("1")
    slice_.press("Enter")
    expect(page.locator("om-image")).to_have_attribute("frame", "1")
    page.locator("om-image").focus()
    keys.press(" ")
    expect(page.get_by_role("button", name="Cine")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".viewer")).to_have_attribute("data-played", re.compile(r"[3-9]|\d\d"))
    keys.press(" ")
    expect(page.get_by_role("button", name="Cine")).to_have_attribute("aria-pressed", "false")
    center, width = read_number(page, "Center"), read_number(page, "Width")
    box = page.locator("om-image").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 50, middle[1] + 40, steps=4)
    page.mouse.up()
    assert read_number(page, "Width") > width
    assert read_number(page, "Center") > center
    keys.press("0")
    assert (read_number(page, "Center"), read_number(page, "Width")) == (center, width)
    keys.press("w")
    keys.press("Shift+ArrowRight")
    keys.press("ArrowUp")
    assert read_number(page, "Width") > width
    assert read_number(page, "Center") > center
    page.get_by_label("Center", exact=True).fill("500")
    page.get_by_label("Center", exact=True).press("Tab")
    expect(page.locator("[data-look]")).to_contain_text("C 500 W")
    page.get_by_label("Preset", exact=True).select_option(label="2  All values")
    expect(page.locator("[data-look]")).not_to_contain_text("C 500 W")
    page.locator("om-image").focus()
    keys.press("1")
    expect(page.get_by_label("Center", exact=True)).to_have_value(f"{center:g}")
    keys.press("i")
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "true")
    keys.press("0")
    check_turns(page)


def check_turns(page: Page) -> None:
    keys = page.keyboard
    letters = [page.locator(f".letter.{edge}").inner_text() for edge in ("left", "top", "right", "bottom")]
    assert all(letters)
    keys.press("r")
    turned = [page.locator(f".letter.{edge}").inner_text() for edge in ("left", "top", "right", "bottom")]
    assert turned == [letters[-1], *letters[:-1]]
    keys.press("h")
    flipped = [page.locator(f".letter.{edge}").inner_text() for edge in ("left", "top", "right", "bottom")]
    assert flipped == [turned[2], turned[1], turned[0], turned[3]]
    keys.press("0")
    before = read_number(page, "Zoom %")
    keys.press("+")
    assert read_number(page, "Zoom %") > before
    page.get_by_label("Zoom %").fill("100")
    page.get_by_label("Zoom %").press("Enter")
    expect(page.locator("[data-look]")).to_contain_text("100 %")
    page.get_by_role("button", name="Fit").click()
    page.locator("om-image").focus()
    keys.press("p")
    keys.press("Shift+ArrowRight")
    assert page.evaluate("document.querySelector('om-image').view.x") == 100
    keys.press("0")


def check_measuring(page: Page) -> None:
    keys = page.keyboard
    spacing = page.evaluate("document.querySelector('om-image').facts.spacing")
    expect(page.locator("[data-spacing]")).to_have_text("Lengths are in the patient")
    keys.press("d")
    keys.press("Enter")
    for _ in range(2):
        keys.press("Shift+ArrowRight")
    keys.press("Enter")
    expect(page.locator("[data-measured] li")).to_have_text([f"Distance: {20 * spacing[1]:.1f} mmRemove"])
    keys.press("a")
    keys.press("Shift+ArrowRight")
    keys.press("Enter")
    keys.press("Shift+ArrowLeft")
    keys.press("Enter")
    keys.press("Shift+ArrowUp")
    keys.press("Enter")
    expect(page.locator("[data-measured] li").nth(1)).to_contain_text("Angle: 90.0°")
    keys.press("e")
    image = page.locator("om-image")
    box = image.bounding_box()
    assert box is not None
    scale = page.evaluate("document.querySelector('om-image').scale")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 8 * scale, y - 8 * scale)
    page.mouse.down()
    page.mouse.move(x + 8 * scale, y + 8 * scale, steps=3)
    page.mouse.up()
    expect(page.locator("[data-measured] li").nth(2)).to_contain_text("Ellipse: mean")
    said = page.locator("[data-measured] li").nth(2).inner_text()
    uid = image.get_attribute("instance")
    data_set = page.evaluate(
        "async (uid) => { const i = document.querySelector('om-image'); return Array.from(i.frame.values) }", uid
    )
    values = np.asarray(data_set).reshape(64, 64)
    rows, columns = np.mgrid[0:64, 0:64] + 0.5
    inside = (rows - 32) ** 2 + (columns - 32) ** 2 <= 64
    meaning = page.evaluate("document.querySelector('om-image').facts.modality")
    mean = values[inside].mean() * meaning["slope"] + meaning["intercept"]
    shown = float(said.partition("mean ")[2].partition(",")[0].split()[0])
    assert shown == pytest.approx(mean, rel=0.02)
    page.get_by_role("button", name="Remove Angle").click()
    expect(page.locator("[data-measured] li")).to_have_count(2)
    page.locator("om-image").focus()
    keys.press("Escape")


def check_saving(page: Page, place: ConsolePlace) -> None:
    page.get_by_text("Save this look").click()
    page.get_by_label("Label").fill("measured")
    page.get_by_role("button", name="Save presentation state").click()
    expect(page.locator("form[action$=state] [data-answer]")).to_contain_text("Saved as presentation state MEASURED")
    expect(page.locator("#state option")).to_have_count(2)
    page.get_by_text("Note as key image").click()
    page.get_by_role("button", name="Note this image").click()
    expect(page.locator("form[action$=key] [data-answer]")).to_contain_text("Noted as a key image")
    expect(page.locator("[data-is-key]")).to_be_visible()
    page.get_by_label("Presentation state").select_option(index=1)
    expect(page.locator("[data-said]")).to_contain_text("MEASURED")
    (state,) = place.modality.instances(SOPClassUID="1.2.840.10008.5.1.4.1.1.11.1")
    saved = dcmread(place.modality.instance_path(state["SOPInstanceUID"]))
    kinds = [each.GraphicType for item in saved.GraphicAnnotationSequence for each in item.GraphicObjectSequence]
    assert kinds == ["POLYLINE", "ELLIPSE"]
    words = [each.UnformattedTextValue for item in saved.GraphicAnnotationSequence for each in item.TextObjectSequence]
    assert words[0].endswith(" mm")


def test_an_image_that_cannot_be_shown_says_so(context: BrowserContext, tmp_path: Path) -> None:
    with console_in_hospital(tmp_path) as place:
        exam = place.modality.start_exam(patient={"PatientID": "M1", "PatientName": "Doe^Jane"})
        exam.acquire(quick_source("mr"))
        first, second = (each["SOPInstanceUID"] for each in place.modality.instances()[:2])
        path = place.modality.instance_path(second)
        path.chmod(0o640)
        path.write_bytes(path.read_bytes()[:-100])
        page = log_in(context, place, "anna", "viewer").page
        series = place.modality.series()[0]["SeriesInstanceUID"]
        page.goto(f"{place.url}/viewer/series/{series}?instance={first}")
        expect(page.locator("om-image[data-shown]")).to_be_visible()
        page.evaluate(f"document.querySelector('om-image').setAttribute('instance', '{second}')")
        expect(page.locator("[data-failed]")).to_contain_text("This image cannot be shown")
        page.evaluate(f"document.querySelector('om-image').setAttribute('instance', '{first}')")
        expect(page.locator("[data-failed]")).to_be_hidden()
        exam.discontinue()
