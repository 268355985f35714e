"""Did you mean gmail.com?"""

from __future__ import annotations

import pytest

from morefollows.audience.addresses import parse
from morefollows.audience.signup.typos import LARGE, suggestion


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ann@gmial.com", "ann@gmail.com"),
        ("ann@gmai.com", "ann@gmail.com"),
        ("ann@gmaill.com", "ann@gmail.com"),
        ("ann@gmail.con", "ann@gmail.com"),
        ("ann@gmial.con", "ann@gmail.com"),
        ("Ann.O+news@GMIAL.com", "Ann.O+news@gmail.com"),
        ("ann@hotmial.com", "ann@hotmail.com"),
        ("ann@outlok.com", "ann@outlook.com"),
        ("ann@yahoo.co.ku", "ann@yahoo.co.uk"),
        ("ann@icloud.co", "ann@icloud.com"),
        ("ann@aol.con", "ann@aol.com"),
        ("ann@t-onlin.de", "ann@t-online.de"),
    ],
)
def test_a_slip_is_asked_about(typed: str, meant: str) -> None:
    assert suggestion(parse(typed)) == meant


@pytest.mark.parametrize(
    "address",
    [
        *(f"ann@{domain}" for domain in sorted(LARGE)),
        "ann@herald.example",
        "ann@gmx.se",
        "ann@web.dk",
        "ann@wob.de",
        "ann@mymail.com",
        "ann@outlook.de",
        "ann@yahoo.ca",
        "ann@live.nl",
        "ann@gmail.example.org",
        "ann@straße.de",
    ],
)
def test_what_may_well_be_right_is_left_alone(address: str) -> None:
    assert suggestion(parse(address)) is None
