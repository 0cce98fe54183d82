"""A mistake in a TOML file is told with file, line, key and what is allowed there."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict

from openmodality.device.toml_file import find_line, join_dotted, list_key_lines, name_place, parse_toml, read_model
from openmodality.errors import ConfigurationError


class Peer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    host: str
    port: int = 104


class Site(BaseModel):
    model_config = ConfigDict(extra="forbid")
    profile: str
    peers: dict[str, Peer] = {}
    rooms: list[Peer] = []


def test_a_sound_file_becomes_the_model() -> None:
    site = read_model(Site, 'profile = "mr"\n[peers.pacs]\nhost = "h"\n', "site.toml")
    assert site == Site(profile="mr", peers={"pacs": Peer(host="h")})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profile = ", "site.toml: not readable as TOML: Invalid value (at end of document)"),
        ("", "site.toml: profile is missing"),
        ('profile = "mr"\nprofil = 1', "site.toml line 2: profil is not a setting; did you mean profile?"),
        ('profile = "mr"\n"XX" = 1', "site.toml line 2: XX is not a setting; allowed are profile, peers, rooms"),
        ('profile = "mr"\nx = 1', "site.toml line 2: x is not a setting; allowed are profile, peers, rooms"),
        (
            'profile = "mr"\n[peers.pacs]\nhost = "h"\nports = 1',
            "site.toml line 4: peers.pacs.ports is not a setting; did you mean port?",
        ),
        ('profile = "mr"\n[peers.pacs]\nport = 1', "site.toml line 2: peers.pacs.host is missing"),
        (
            'profile = "mr"\n[[rooms]]\nhost = "a"\n[[rooms]]\nhost = "b"\nport = "x"',
            "site.toml line 6: rooms[1].port: Input should be a valid integer, unable to parse string as an integer",
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_model(Site, text, "site.toml")
    assert str(raised.value) == said


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        read_model(Site, "a = 1\nb = 2\n", "site.toml")
    assert len(str(raised.value).splitlines()) == 3


def test_a_number_of_thousands_of_digits_is_a_mistake_too() -> None:
    with pytest.raises(ConfigurationError, match=r"^x\.toml: not readable as TOML"):
        parse_toml(f"a = {'9' * 5000}", "x.toml")


def test_a_key_that_is_not_there_has_the_line_of_the_table_around_it() -> None:
    lines = list_key_lines('a = 1\n[b."c d"]\n"e" = 2\n')
    assert lines == {("a",): 1, ("b", "c d"): 2, ("b", "c d", "e"): 3}
    assert find_line(("b", "c d", "missing"), lines) == 2
    assert find_line(("missing",), lines) is None
    assert name_place(("b", "c d", "e"), lines, "x.toml") == "x.toml line 3: b.c d.e"
    assert name_place((), lines, "x.toml") == "x.toml"
    assert join_dotted(("peers", "pacs", "services", 0)) == "peers.pacs.services[0]"


@pytest.mark.parametrize("header", ["[peers.pacs]", "[peers.'pacs']", '["peers"."pacs"]'])
def test_names_in_quotes_are_found_too(header: str) -> None:
    with pytest.raises(ConfigurationError, match=r"line 3: peers\.pacs\.port"):
        read_model(Site, f'profile = "mr"\n{header}\nport = "x"\nhost = "h"\n', "site.toml")
