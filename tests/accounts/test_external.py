"""Which account a person of an OpenID Connect provider has, and which role."""

from __future__ import annotations

import dataclasses

import pytest
from django.conf import settings

from morefollows.accounts import people
from morefollows.accounts.models import Editor
from morefollows.accounts.sign_in import external

pytestmark = pytest.mark.django_db


def claims(**given: object) -> external.Claims:
    fixed = {"provider": "https://login.example", "subject": "7", "email": "ada@herald.example"}
    return external.Claims(**{**fixed, "verified": True, "name": "Ada", "role": None, **given})  # type: ignore[arg-type]


@pytest.fixture
def by_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles come from the claim `realm.groups`."""
    roles = (("administrator", "admins"), ("editor", "editors"))
    config = dataclasses.replace(
        settings.MOREFOLLOWS, oidc_role_claim="realm.groups", oidc_roles=roles
    )
    monkeypatch.setattr(settings, "MOREFOLLOWS", config)


def test_the_first_time_a_verified_address_finds_the_account(ada: Editor) -> None:
    with pytest.raises(external.SignOnRefused):
        external.editor_of_claims(claims(verified=False))
    assert external.editor_of_claims(claims()) == ada
    moved = external.editor_of_claims(claims(email="new@herald.example", verified=False))
    assert moved == ada, "after that, the provider's own name for her counts"
    with pytest.raises(external.SignOnRefused, match="no account"):
        external.editor_of_claims(claims(subject="8", email="new@herald.example"))


def test_another_provider_is_another_person(ada: Editor) -> None:
    external.editor_of_claims(claims())
    with pytest.raises(external.SignOnRefused):
        external.editor_of_claims(claims(provider="https://evil.example", verified=False))


@pytest.mark.usefixtures("by_groups")
def test_the_claim_gives_the_highest_role_it_has() -> None:
    assert (
        external.role_of({"realm": {"groups": ["staff", "editors", "admins"]}}) == "administrator"
    )
    assert external.role_of({"realm.groups": "staff editors"}) == "editor"
    for none in ({}, {"realm": "x"}, {"realm": {"groups": ["staff"]}}, {"realm": {"groups": 7}}):
        with pytest.raises(external.SignOnRefused, match="no role"):
            external.role_of(none)


@pytest.mark.usefixtures("by_groups")
def test_the_role_follows_the_claim_and_makes_accounts(ada: Editor, dora: Editor) -> None:
    assert external.editor_of_claims(claims(role="reporter")).role == "reporter"
    eve = external.editor_of_claims(claims(subject="9", email="eve@herald.example", role="editor"))
    assert (eve.role, eve.has_usable_password()) == ("editor", False)
    known = claims(subject="d", email=dora.email, role="editor")
    assert external.editor_of_claims(known).role == "administrator", "the last one"
    people.disable(eve, dora)
    with pytest.raises(external.SignOnRefused, match="disabled"):
        external.editor_of_claims(claims(subject="9", role="editor"))
