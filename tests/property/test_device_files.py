"""Whatever profile and site files hold, the answer is a device or a ConfigurationError."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openmodality.device.paths import format_keywords, format_path, parse_path
from openmodality.device.profile.loader import list_profile_names, load_profile
from openmodality.device.site.new_site import make_site_text
from openmodality.device.site.site_loader import load_site
from openmodality.device.toml_file import list_key_lines
from openmodality.errors import ConfigurationError

US = Path(__file__).parents[1] / "data" / "profiles" / "us"
FILES = sorted(path.name for path in US.iterdir())
SITE = make_site_text(load_profile("mr"), "mr")

PIECES = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [",", '"', "\n", "|", "=", "[", "[[", "]", ".", "{", "0", "-1", "nan", "1e999", "'''", '"""', "\0", "yes"]
    ),
    st.sampled_from(["0010,0010", "profile", "PatientName", "9" * 5000, "#", "\\", "\ufeff", "\u0661", "SCU", "true"]),
)


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """The text with some of its parts cut out, doubled or replaced."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        text = text[:start] + draw(st.one_of(PIECES, st.just(text[start:end] * 2))) + text[end:]
    return text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(US, tmp_path / "us"))


PROFILE = load_profile(US)
TABLES = {
    "attributes.csv": ("attribute_rules",),
    "iods.csv": ("module_uses", "attribute_rules"),
    "parameters.csv": ("parameters",),
    "presentation_contexts.csv": ("presentation_contexts",),
    "worklist_keys.csv": ("worklist_keys",),
}
"""The parts of a profile that come from each file."""


@given(name=st.sampled_from(FILES), data=st.data())
def test_a_mutated_profile_loads_or_is_refused(folder: Path, name: str, data: st.DataObject) -> None:
    text = (US / name).read_text()
    (folder / name).write_text(data.draw(mutated(text)), encoding="utf-8", errors="surrogatepass")
    try:
        profile, refusal = load_profile(folder), ""
    except ConfigurationError as error:
        profile, refusal = PROFILE, str(error)
    finally:
        (folder / name).write_text(text)
    assert not refusal or refusal.startswith(f"{folder}/"), "which file it is"
    others = {part for file, parts in TABLES.items() if file != name for part in parts}
    for part in others - set(TABLES.get(name, ())):
        assert getattr(profile, part) == getattr(PROFILE, part), "what other files say"


@given(name=st.sampled_from(FILES), content=st.binary(max_size=60))
@example(name="profile.toml", content=b"")
@example(name="iods.csv", content=b"\xef\xbb\xbf")
@example(name="iods.csv", content=b"\xef\xbb")
def test_any_bytes_are_refused_with_the_name_of_the_file(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    try:
        with pytest.raises(ConfigurationError) as caught:
            load_profile(folder)
    finally:
        (folder / name).write_bytes((US / name).read_bytes())
    lines = str(caught.value).splitlines()
    assert lines
    assert all(line.startswith(f"{folder / name}") for line in lines)
    assert is_utf8(content) != lines[0].startswith(f"{folder / name}: not UTF-8 at byte ")


def is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(text=mutated(SITE))
@example(text='profile = "a\\u0000b"')
@example(text='profile = "mr"\n[parameters]\nstorage = 3')
@example(text='profile = "mr"\n[parameters.print]\ncopies = 2026-11-22')
@example(text='profile = "mr"\n[tls]\nenabled = true\ncertificate = "\\u0000"')
@example(text=f'profile = "{"x" * 300}"')
def test_a_mutated_site_file_loads_or_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    loaded = refusal = ""
    try:
        loaded = load_site(file).profile.name
    except ConfigurationError as error:
        refusal = str(error)
    assert loaded in list_profile_names() or str(file) in refusal


@given(text=st.text())
def test_lines_of_keys_are_found_in_any_text(text: str) -> None:
    lines = list_key_lines(text)
    assert all(1 <= line <= len(text.splitlines()) for line in lines.values())


@given(path=st.lists(st.sampled_from(["0040,0100", "0040,0275", "0008,1032"]), max_size=3))
def test_paths_survive_both_notations(path: list[str]) -> None:
    parsed = parse_path(">".join([*path, "0008,0100"]))
    assert parse_path(format_path(parsed)) == parsed
    assert parse_path(format_keywords(parsed)) == parsed


@given(text=st.text())
def test_any_text_is_a_path_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_path(text)
