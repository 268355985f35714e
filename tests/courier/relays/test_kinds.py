"""A relay's kind is named by its URL's scheme."""

from __future__ import annotations

import dataclasses

import pytest

from morefollows.config.addresses.relay_address import RelayKind, kinds, register_kind, relays
from tests.courier.relays import support


def test_the_kinds_that_are_built_in() -> None:
    assert set(kinds()) == {
        "smtp",
        "smtps",
        "mx",
        "ses",
        "mailgun",
        "postmark",
        "sendgrid",
        "brevo",
        "resend",
        "fake",
    }
    smtp, smtps = relays("smtp://a.example smtps://b.example")
    assert (smtp.scheme, smtp.port, smtp.implicit_tls) == ("smtp", 25, False)
    assert (smtps.scheme, smtps.port, smtps.implicit_tls) == ("smtps", 465, True)


def test_a_kind_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="begins with") as told:
        relays("secret://word@mail.example.org")
    assert all(f"{scheme}://" in str(told.value) for scheme in ("smtp", "smtps", "fake"))
    assert "secret" not in str(told.value) and "word" not in str(told.value)


def test_a_kind_has_options_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("morefollows.config.addresses.relay_address._kinds", dict(kinds()))
    own = dataclasses.replace(
        support.FAKE, schemes={"own": {"port": 7}}, options={"region": ("region", str)}
    )
    register_kind(own)
    [address] = relays("own://mail.example.org?region=eu&rate=5")
    assert (address.port, address.rate, address.options) == (7, 5.0, {"region": "eu"})
    with pytest.raises(
        ValueError, match="takes the options name, rate, connections, weight, purpose and"
    ):
        relays("fake://mail.example.org?region=eu")


def test_no_two_kinds_share_a_scheme() -> None:
    with pytest.raises(ValueError, match="two kinds of relay are called smtp"):
        register_kind(
            RelayKind(schemes={"smtp": {"port": 1}}, example="smtp://x", make=lambda *_: None)
        )
