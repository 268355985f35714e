"""People whom an OpenID Connect provider lets in: which account they have here, and which role."""

from __future__ import annotations

from typing import Any, NamedTuple

from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from morefollows.accounts import people
from morefollows.accounts.actions import add_editor
from morefollows.accounts.models import Editor, Role
from morefollows.audit.actions import record

_HIGHEST_FIRST = (Role.ADMINISTRATOR, Role.EDITOR, Role.REPORTER)


class SignOnRefused(Exception):
    """The provider knows this person, but they get in nowhere here. ``str()`` says why."""


class Claims(NamedTuple):
    """What the provider says of a person."""

    provider: str
    subject: str  #: the provider's lasting name of the person (OpenID Connect Core 1.0 §2, `sub`)
    email: str
    verified: bool  #: whether the provider has verified the address
    name: str
    role: str | None  #: by `role_of`; None if no role claim is set


def role_of(data: dict[str, Any]) -> str | None:
    """The highest role that the claim gives; None if no claim is set.

    Raises `SignOnRefused` if the claim gives none. Dots in the claim's name lead into objects.
    """
    name = settings.MOREFOLLOWS.oidc_role_claim
    if not name:
        return None
    given: Any = data.get(name)
    if given is None:
        given = data
        for part in name.split("."):
            given = given.get(part) if isinstance(given, dict) else None
    values = given.split() if isinstance(given, str) else given
    has = {str(value) for value in values} if isinstance(values, list) else set()
    for role in _HIGHEST_FIRST:
        if any(role == one and value in has for one, value in settings.MOREFOLLOWS.oidc_roles):
            return str(role)
    raise SignOnRefused(
        _("You have no role at this desk. Ask the administrator of your single sign-on.")
    )


def editor_of_claims(claims: Claims) -> Editor:
    """The account of this person, with the role of the claim. Raises `SignOnRefused`.

    It is found by the provider's name of the person, the first time by a verified address. If
    there is none, the role claim makes one.
    """
    with transaction.atomic():
        kept = SocialAccount.objects.filter(provider=claims.provider, uid=claims.subject).first()
        if kept is not None:
            editor = Editor.objects.get(pk=kept.user_id)
        else:
            editor = _first_time(claims)
            SocialAccount.objects.create(
                user_id=editor.pk, provider=claims.provider, uid=claims.subject
            )
        if not editor.is_active:
            raise SignOnRefused(_("Your account here is disabled. Ask an administrator."))
        if claims.role is not None and claims.role != editor.role:
            try:
                people.change_role(editor, claims.role, None)
            except people.PeopleRefused as refused:  # the last administrator
                record(None, "sign in failed", subject=editor.email, reason=str(refused))
            editor.refresh_from_db()
    return editor


def _first_time(claims: Claims) -> Editor:
    if not claims.verified or not claims.email:
        raise SignOnRefused(_("Your sign-on does not confirm your email address."))
    editor = people.find_editor(claims.email)
    if editor is not None:
        return editor
    if claims.role is None:
        raise SignOnRefused(_("You have no account at this desk. Ask an administrator."))
    try:
        name = claims.name.strip()[:100] or claims.email.partition("@")[0]
        editor = add_editor(claims.email, name, claims.role)
    except ValidationError as error:
        raise SignOnRefused(" ".join(error.messages)) from None
    record(None, "add editor", subject=editor.email, name=editor.name, role=editor.role)
    return editor
