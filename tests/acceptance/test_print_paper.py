"""Printers that are none of DICOM: a folder of PDF files, and lp."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openmodality import Modality
from openmodality.activities.film_order import FilmOrder
from openmodality.app.local_data import Chosen
from openmodality.device.site.site_loader import load_site
from openmodality.errors import ConfigurationError
from openmodality.store.states import JobState
from tests.acceptance.requirements.print_device import PrintDevice, make_print_device
from tests.peers.process import Address, free_port, run

PDF = '\n[printers.paper]\nkind = "pdf"\nfolder = "prints"\n'
CUPS = '\n[printers.office]\nkind = "cups"\nqueue = "laser"\n'
LP = """#!/bin/sh
printf '%s\\n' "$@" >"{folder}/words"
for last; do :; done
cp "$last" "{folder}/printed.pdf"
{more}
echo "request id is laser-12 (1 file(s))"
"""


@pytest.fixture(params=["mr", "rf"])
def device(request: pytest.FixtureRequest, tmp_path: Path) -> PrintDevice:
    nowhere = Address("NOWHERE", free_port())
    return make_print_device(tmp_path / "device", request.param, nowhere, images=3, more=PDF + CUPS)


@pytest.fixture
def lp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a stand-in for lp, which keeps what it is given."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    write_lp(folder)
    return folder


def write_lp(folder: Path, more: str = "") -> None:
    program = folder / "lp"
    program.write_text(LP.format(folder=folder, more=more), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.mark.needs("pdftoppm", "pdftotext")
def test_a_pdf_printer_writes_sheets_of_true_size_that_say_what_they_are_not_for(device: PrintDevice) -> None:
    status, said = device.print("--layout", "1x2", "--size", "A4", printer="paper")
    assert status == 0, said
    (path,) = (device.folder / "prints").iterdir()
    assert (stat.S_IMODE(path.parent.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o700, 0o600)
    assert str(path) in said
    assert run("pdftotext", path, path.with_suffix(".txt"), cwd=device.folder).status == 0
    assert path.with_suffix(".txt").read_text(encoding="utf-8").count("Not for diagnosis") == 2
    assert run("pdftoppm", "-r", "25.4", "-gray", path, device.folder / "page", cwd=device.folder).status == 0
    first, second = (np.asarray(Image.open(page)) for page in sorted(device.folder.glob("page-*.pgm")))
    assert first.shape == (298, 211)  # what is begun of 297 x 210 mm
    assert first[2:288].std() > 10
    assert second[150:280, :209].max() == 0  # the second box of the second sheet is empty
    assert first[292, :20].min() == 255  # the line at the foot is on white
    assert device.last_job().job.state is JobState.DONE


def test_a_preview_shows_the_line_too(device: PrintDevice) -> None:
    picture = device.folder / "sheet.png"
    assert device.print("--layout", "1x1", "--preview", picture, printer="paper")[0] == 0
    sheet = np.asarray(Image.open(device.folder / "sheet-1.png"))
    foot = sheet[-round(8 / 25.4 * 300) :]
    assert foot[:, :200].min() == 255
    assert foot.min() == 0


def test_what_a_pdf_printer_is_given_twice_it_has_once(device: PrintDevice) -> None:
    with Modality(device.folder / "site.toml", works=False) as modality:
        job = modality.films.order(Chosen([device.study]), "paper", FilmOrder())
    assert device.work()
    with Modality(device.folder / "site.toml", works=False) as modality:
        assert modality.jobs.show(job.id).job.state is JobState.DONE
    assert len(list((device.folder / "prints").iterdir())) == 1


def test_lp_gets_a_file_the_queue_and_the_copies(device: PrintDevice, lp: Path) -> None:
    status, said = device.print("--copies", 2, "--size", "A4", printer="office")
    assert status == 0, said
    assert "request id is laser-12" in said
    words = (lp / "words").read_text(encoding="utf-8").splitlines()
    assert words[:6] == ["-d", "laser", "-n", "2", "-q", "50"]
    assert "media=A4" in words
    assert (lp / "printed.pdf").read_bytes().startswith(b"%PDF")
    assert not Path(words[-1]).exists()
    patient = "".join(device.ask("studies", "list")[0].get("patient_name", "")) or "Doe"
    assert patient not in " ".join(words)


def test_what_lp_refuses_fails_the_job_and_is_told(device: PrintDevice, lp: Path) -> None:
    write_lp(lp, 'echo "lp: The printer or class does not exist." >&2; exit 1')
    assert device.print(printer="office")[0] == 1
    assert "The printer or class does not exist." in device.reason()
    write_lp(lp)
    assert device.do("jobs", "retry", 1)[0] == 0
    assert device.work()
    assert device.last_job().job.state is JobState.DONE


def test_a_missing_lp_is_named(device: PrintDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert device.print(printer="office")[0] == 1
    assert "lp is not installed" in device.reason()


def test_printer_show_tells_of_them(device: PrintDevice, lp: Path) -> None:
    (lp / "lpstat").write_text("#!/bin/sh\necho printer laser is idle\n", encoding="utf-8")
    (lp / "lpstat").chmod(0o755)
    (shown,) = device.ask("printer", "show", "paper")
    assert shown["peer"] == ""
    assert shown["reported"]["Folder"] == str(device.folder / "prints")
    (shown,) = device.ask("printer", "show", "office")
    assert shown["reported"] == {"Queue": "printer laser is idle"}


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('kind = "pdf"', "needs a folder"),
        ('kind = "pdf"\nfolder = "x"\npeer = "film"', "has no peer"),
        ('kind = "cups"\nqueue = "-o raw"', "queue"),
        ('kind = "paper"', "kind"),
        ('kind = "pdf"\nfolder = "x"\nautomatic_layout = "9x"', "automatic_layout"),
    ],
)
def test_a_wrong_printer_is_refused_when_the_site_is_read(tmp_path: Path, lines: str, problem: str) -> None:
    peer = '[peers.film]\nae_title = "A"\nhost = "h"\nport = 1\nservices = ["print"]\n'
    (tmp_path / "site.toml").write_text(f'profile = "mr"\n{peer}[printers.it]\n{lines}\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=problem):
        load_site(tmp_path)
