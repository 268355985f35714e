"""Names of hosts, and who has registered them."""

from __future__ import annotations

import pytest

from morefollows.courier.public_suffixes import organisation, registered


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("alt1.aspmx.l.google.com.", "google.com"),
        ("firm-de.mail.protection.outlook.com.", "outlook.com"),
        ("MX1.Example.co.uk", "example.co.uk"),
        ("mail.school.sch.uk", "mail.school.sch.uk"),  # a wildcard rule: schools have a third level
        ("mx.village.lg.jp", "village.lg.jp"),
        ("mx.firm.com.br", "firm.com.br"),
        ("inbound-smtp.us-east-1.amazonaws.com", "amazonaws.com"),
        ("mx3.xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("mx-ha02.web.de", "web.de"),
        ("localhost", "localhost"),
        ("co.uk", "co.uk"),
    ],
)
def test_a_provider_is_what_somebody_registered(host: str, name: str) -> None:
    assert registered(host) == name


def test_customers_below_a_private_suffix_are_organisations_of_their_own() -> None:
    assert organisation("mail.herald.github.io") == "herald.github.io"
    assert organisation("bounces.herald.co.uk") == organisation("herald.co.uk") == "herald.co.uk"
