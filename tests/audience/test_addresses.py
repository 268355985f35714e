"""Which addresses readers may type, and what becomes of them."""

from __future__ import annotations

import unicodedata
from email.errors import NonASCIILocalPartDefect
from email.policy import SMTPUTF8

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from morefollows.audience import addresses
from morefollows.audience.addresses import BadAddress, parse
from morefollows.courier.channels import mailbox

GOOD = [
    "cy@reader.example",
    "cy.reader+news@reader.example",
    "o'neill@reader.example",
    "jörg@straße.example",
    "x" * 64 + "@reader.example",
    "चाय@reader.example",
    "cy@bücher.example",
    "!#$%&'*+/=?^_`{|}~-@reader.example",
    "анна.петрова@пример.example",
]
BAD = {
    "": "type your address",
    "   ": "type your address",
    "cy": "@ is missing",
    "@reader.example": "before the @ is missing",
    "cy@": "after the @ is missing",
    "a@b": "no ending",
    "a@b.": "no ending",
    "a@b.example.": "no name of a mail domain",
    "a..b@x.example": "dot",
    ".a@x.example": "dot",
    "a.@x.example": "dot",
    "a@x..example": "no name of a mail domain",
    "a@-x.example": "no name of a mail domain",
    "a@x_y.example": "no name of a mail domain",
    "a@[192.0.2.1]": "a number and no name",
    "a@[IPv6:2001:db8::1]": "a number and no name",
    "a@192.0.2.1": "a number and no name",
    "a@mail_1.example": "no name of a mail domain",
    '"cy reader"@reader.example': "quotation marks",
    '"cy"@reader.example': "quotation marks",
    '"a>b"@reader.example': "quotation marks",
    '""@reader.example': "quotation marks",
    "o\u2019brien@reader.example": "“\u2019” is no character",
    "a\u2013b@reader.example": "“\u2013” is no character",
    "\U0001f600@reader.example": "is no character",
    "\uff43\uff59@reader.example": "in a form that mail can’t carry",
    "cy@\uff52eader.example": "in a form that mail can’t carry",
    "jo\u0308rg@reader.example": "in a form that mail can’t carry",
    "\ufb01sh@reader.example": "in a form that mail can’t carry",
    "\u0430nn@reader.example": "two alphabets",
    "cy@re\u0430der.example": "two alphabets",
    "a@" + "x" * 64 + ".example": "no name of a mail domain",
    "a b@x.example": "space",
    "a@x .example": "space",
    "a\u00a0b@x.example": "space",
    "a@b@x.example": "more than one @",
    "a,b@x.example": "a character that addresses don’t have",
    "<a@x.example>": "a character that addresses don’t have",
    "x" * 65 + "@reader.example": "too long",
    "ä" * 33 + "@reader.example": "too long",
    "a@" + ".".join(["x" * 60] * 5): "too long",
    "a@x.example\n": "can’t be seen",
    "a@x.example\r\nBcc: b@x.example": "can’t be seen",
    "a\x00@x.example": "can’t be seen",
    "a\u202e@x.example": "can’t be seen",
    "a\u2066b@x.example": "can’t be seen",
    "a\u00adb@x.example": "can’t be seen",
    "ab\ufe0f@x.example": "can’t be seen",
    "a\u3164b@x.example": "can’t be seen",
    "a\u034fb@x.example": "can’t be seen",
    "a\u200b@x.example": "can’t be seen",
    "a\ud800@x.example": "can’t be seen",
    "ab\ufffd@x.example": "can’t be seen",
    '"a\n"@x.example': "can’t be seen",
}


@pytest.mark.parametrize("typed", GOOD)
def test_a_good_address_is_kept_as_typed(typed: str) -> None:
    assert parse(typed).text == typed


@pytest.mark.parametrize("typed", BAD, ids=repr)
def test_a_bad_address_is_refused_with_the_reason(typed: str) -> None:
    with pytest.raises(BadAddress, match=BAD[typed]):
        parse(typed)


def test_blanks_around_it_are_dropped_and_nothing_else() -> None:
    assert parse("  Cy.Reader@Reader.EXAMPLE\t").text == "Cy.Reader@Reader.EXAMPLE"


def test_the_domain_is_normalised_as_idna_2008_does() -> None:
    assert parse("cy@STRASSE.example").domain == "strasse.example"
    assert (
        parse("cy@straße.example").domain == "xn--strae-oqa.example"
    )  # IDNA 2003 made "strasse" of it


@given(
    st.from_regex(r"[A-Za-z0-9-]{1,3}(\.[A-Za-z0-9-]{1,4}){1,3}", fullmatch=True)
    | st.from_regex(r"([a-z]{1,64}\.){1,5}[a-z]{1,4}", fullmatch=True)
)
def test_a_plain_domain_is_what_idna_makes_of_it(domain: str) -> None:
    if addresses._PLAIN_DOMAIN.match(domain):
        encoded = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
        assert addresses._domain(domain) == encoded == domain.lower()


def test_the_local_part_is_never_altered() -> None:
    assert parse("Jörg.VON@Bücher.example").local == "Jörg.VON"


def test_capitals_make_no_other_reader() -> None:
    assert parse("Cy@Bücher.example").key == parse("cy@xn--bcher-kva.EXAMPLE").key
    assert parse("cy@reader.example").key != parse("cyx@reader.example").key


def test_the_key_needs_the_secret() -> None:
    import hashlib

    assert parse("cy@reader.example").key != hashlib.sha256(b"cy@reader.example").hexdigest()
    assert len(parse("cy@reader.example").key) == 64


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("o\u2019brien@reader.example", "o'brien@reader.example"),
        ("\uff43\uff59\uff20\uff52eader.example", "cy@reader.example"),
        ("jo\u0308rg@reader.example", "j\u00f6rg@reader.example"),
        ("\u0430nn@reader.example", "ann@reader.example"),
        ("\u200bcy@reader.example", "cy@reader.example"),
        ("cy@reader.example.", "cy@reader.example"),
        ("cy@reader,example", "cy@reader.example"),
        ("cy @ reader. example", "cy@reader.example"),
        ("cy@@reader.example", "cy@reader.example"),
        ("mailto:cy@reader.example?subject=Hi", "cy@reader.example"),
        ("Cy Reader <cy@reader.example>;", "cy@reader.example"),
        ("\u201ccy@reader.example\u201d", "cy@reader.example"),
        ("cy reader@reader.example", ""),
        ("a..b@reader.example", ""),
        ("a@x.example, b@x.example", ""),
        ('"a>b"@reader.example', ""),
        ("nobody", ""),
        ("", ""),
        ("@" * 2000, ""),
    ],
)
def test_what_was_probably_meant_is_suggested(typed: str, meant: str) -> None:
    with pytest.raises(BadAddress) as refused:
        parse(typed)
    assert refused.value.suggestion == meant
    assert "reader.example" not in str(refused.value), "a reason may stand where no address may"


ODD = st.text(
    st.sampled_from('ab.@"\\ <>,;:\r\n\x00\x85\u2028\ud800\ufeffäß-_1éＡ。') | st.characters(),
    max_size=80,
)


@given(ODD | st.builds("{}@{}.example".format, ODD, ODD))
def test_whatever_is_typed_it_is_refused_or_fit_for_the_wire(typed: str) -> None:
    try:
        address = parse(typed)
    except BadAddress as reason:
        assert str(reason)
        return
    wire = f"{address.local}@{address.domain}"
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in wire)
    assert len(wire.encode()) <= 254
    assert len(address.local.encode()) <= 64
    assert address.domain.isascii()
    assert address.domain == address.domain.lower()
    assert parse(address.text) == address
    assert parse(wire).key == address.key
    path, utf8 = mailbox(address.text, address.domain)
    assert path == wire.encode()
    assert utf8 == (not address.local.isascii())
    # What an SMTP command can carry between its angle brackets (RFC 5321 §4.1.2, RFC 6531 §3.3):
    assert path.decode().isprintable()
    assert not set(path) & set(b' <>"\\(),:;[]')
    to = SMTPUTF8.header_factory("To", f"<{path.decode()}>")
    assert {type(defect) for defect in to.defects} <= ({NonASCIILocalPartDefect} if utf8 else set())
    assert [(read.username, read.domain) for read in to.addresses] == [
        (address.local, address.domain)
    ]


def test_a_sender_has_an_address_that_every_relay_carries() -> None:
    assert addresses.parse_sender("alerts@bücher.example").domain == "xn--bcher-kva.example"
    with pytest.raises(BadAddress, match="plain letters"):
        addresses.parse_sender("jörg@herald.example")


@given(st.text(max_size=300))
def test_reading_twice_is_reading_once(typed: str) -> None:
    try:
        once = addresses.parse(typed)
    except BadAddress:
        return
    assert addresses.parse(once.text) == once
