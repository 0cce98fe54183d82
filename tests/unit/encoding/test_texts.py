"""Texts of peers, decoded."""

from __future__ import annotations

import pytest

from openmodality.encoding.texts import decode_element_text, decode_terms

KANJI = ("", "ISO 2022 IR 87")
HANGUL = ("", "ISO 2022 IR 149")


@pytest.mark.parametrize(
    ("terms", "raw", "name"),
    [
        (
            KANJI,
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
        ),
        (
            ("ISO 2022 IR 13", "ISO 2022 IR 87"),
            b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J",
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
        ),
        (
            HANGUL,
            b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf",
            "Hong^Gildong=洪^吉洞=홍^길동",
        ),
        (
            ("", "ISO 2022 IR 58"),
            b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=",
            "Zhang^XiaoDong=张^小东=",
        ),
        (("GB18030",), b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=", "Wang^XiaoDong=王^小东="),
        (("ISO_IR 192",), "Wang^XiaoDong=王^小東=".encode(), "Wang^XiaoDong=王^小東="),
        (("ISO_IR 100",), b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
        (("ISO_IR 144",), b"\xbb\xee\xda\xe1\x65\xdc\xd1\x79\xe0\xd3", "Люксeмбyрг"),
        (("ISO 2022 IR 100", "ISO 2022 IR 126"), b"M\xfcller \x1b-F\xc4\xe9\xef^\xfc", "Müller Διο^ü"),
    ],
)
def test_names_of_the_standard(terms: tuple[str, ...], raw: bytes, name: str) -> None:
    """PS3.5 Annexes H to K."""
    assert decode_element_text(raw, terms, "PN") == name


@pytest.mark.parametrize(
    ("terms", "raw", "text"),
    [
        (KANJI, b"HARU=\x1b$B=U\x1b(B^\x1b$B2Z\x1b(B", "HARU=春^華"),
        (KANJI, b"\x1b$B=$\x1b(B^\x1b$B0l\x1b(B\\\x1b$B\\?\x1b(B", "修^一\\椰"),
        (("GB18030",), "乗^淾\\俓".encode("gb18030"), "乗^淾\\俓"),
        (("GBK",), "乗^淾\\俓".encode("gbk"), "乗^淾\\俓"),
    ],
)
def test_bytes_of_a_character_are_no_delimiters(terms: tuple[str, ...], raw: bytes, text: str) -> None:
    assert decode_element_text(raw, terms, "PN") == text


def test_a_delimiter_calls_the_first_set_again() -> None:
    terms = ("ISO 2022 IR 100", "ISO 2022 IR 149")
    assert decode_element_text(b"\x1b$)C\xfb\xf3=\xfc^\xe9", terms, "PN") == "洪=ü^é"
    assert decode_element_text(b"\x1b$)C\xfb\xf3=\xd1\xce", terms, "LO") == "洪=吉"
    assert decode_element_text(b"\x1b$)C\xfb\xf3\\\xfc", terms, "LO") == "洪\\ü"
    assert decode_element_text(b"\x1b$)C\xfb\xf3\\\xd1\xce\r\n\xfc", terms, "LT") == "洪\\吉\r\nü"


@pytest.mark.parametrize(
    ("terms", "raw", "text"),
    [
        ((), b"M\xfcller", "Müller"),
        (("",), b"M\xfcller", "Müller"),
        (("ISO_IR 6",), b"M\xfcller", "Müller"),
        ((), b"\x1b$B;3\x1b(B", "山"),
        (("", "ISO 2022 IR 100"), b"M\xfcller", "Müller"),
        (("", "ISO_IR 192"), "Müller".encode(), "Müller"),
        (("ISO 2022 IR 149",), b"\xfb\xf3", "洪"),
        (HANGUL, b"\x1b$)C\xfb\xf3^\xd1\xce", "洪^吉"),
        (KANJI, b"\x1b$B;3 ED\r\nABC", "山 田\ufffd\ufffdABC"),
    ],
)
def test_what_can_mean_one_thing_only(terms: tuple[str, ...], raw: bytes, text: str) -> None:
    assert decode_element_text(raw, terms, "PN") == text


@pytest.mark.parametrize("term", ["idna", "utf-7", "undefined", "unicode_escape", "hex_codec", "utf_16", "ISO_IR 999"])
def test_an_unknown_set_keeps_its_ascii(term: str) -> None:
    assert decode_element_text(b"A\xe9^+2AA-\\ud800", (term,), "PN") == "A\ufffd^+2AA-\\ud800"
    assert decode_element_text(b"A\xe9", ("", term), "LO") == "A\ufffd"


@pytest.mark.parametrize(
    ("terms", "raw", "text"),
    [
        (("ISO_IR 192",), b"A\xed\xa0\x80", "A\ufffd\ufffd\ufffd"),
        (("GB18030",), b"A\x81", "A\ufffd"),
        (KANJI, b"A=\x1b$B\x30", "A=\ufffd"),
        (KANJI, b"A=\x1b$B\x22\x2f\x30\x6c", "A=\ufffd一"),
        (HANGUL, b"\x1b$)C\xff", "\ufffd"),
        (KANJI, b"A\x1b[31mB\x1b", "A\ufffd[31mB\ufffd"),
        (("ISO_IR 100",), b"A\0B\xe9\x9b \0", "A\ufffdBé\ufffd"),
    ],
)
def test_what_is_no_text_is_replaced(terms: tuple[str, ...], raw: bytes, text: str) -> None:
    assert decode_element_text(raw, terms, "PN") == text


@pytest.mark.parametrize(
    ("raw", "terms"),
    [
        (b"", ()),
        (b" ", ()),
        (b"ISO_IR 100", ("ISO_IR 100",)),
        (b"\\ISO 2022 IR 87 ", ("", "ISO 2022 IR 87")),
        (b"ISO-IR 100\0", ("ISO_IR 100",)),
        (b"\xff\x1b", ("\ufffd\x1b",)),
    ],
)
def test_terms_are_read_without_their_padding(raw: bytes, terms: tuple[str, ...]) -> None:
    assert decode_terms(raw) == terms
