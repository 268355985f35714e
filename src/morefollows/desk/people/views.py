"""The people page, and what administrators do there. Changes need a recent sign-in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts import people
from morefollows.accounts.models import Editor
from morefollows.accounts.rights import Right
from morefollows.accounts.sign_in import second_factors
from morefollows.api.keys import made_by
from morefollows.audience.addresses import BadAddress
from morefollows.courier.outbox import to_editors
from morefollows.desk.accounts.fresh_sign_in import fresh
from morefollows.desk.common import editor_of, needs
from morefollows.desk.people.forms import InviteForm, RightsForm


class Row(NamedTuple):
    """A person of the page."""

    editor: Editor
    seen_at: datetime | None
    factors: set[str]

    @property
    def link_until(self) -> datetime | None:
        """Until when the link of the invitation is good."""
        sent = self.editor.invited_at
        return sent + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT) if sent else None


@needs(Right.ADMINISTER)
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everybody: those who have been in, those who are invited, and those who are disabled."""
    return _page(request, InviteForm())


def _page(request: HttpRequest, form: InviteForm, *, status: int = 200) -> HttpResponse:
    everybody = (
        Editor.objects.people()
        .select_related("invited_by", "disabled_by")
        .prefetch_related("topics")
    )
    seen, factors = people.last_seen(), second_factors.of_everybody()
    rows = [
        Row(one, seen.get(one.pk) or one.last_login, factors.get(one.pk, set()))
        for one in everybody.order_by("name", "pk")
    ]
    active = [row for row in rows if row.editor.is_active]
    context = {
        "form": form,
        "people": [row for row in active if people.has_been_in(row.editor)],
        "invited": [row for row in active if not people.has_been_in(row.editor)],
        "disabled": [row for row in rows if not row.editor.is_active],
        "me": editor_of(request),
        "tab": "people",
        "here": "settings",
    }
    return render(request, "people/page.html", context, status=status)


@needs(Right.ADMINISTER)
@require_POST
@fresh
def people_invite(request: HttpRequest) -> HttpResponse:
    """Invites somebody by mail."""
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        to_editors.invite(email, "", role, editor_of(request))
    except ValidationError as error:
        form.add_error("email", " ".join(error.messages))
        return _page(request, form, status=422)
    except BadAddress as reason:
        form.add_error("email", str(reason))
        return _page(request, form, status=422)
    messages.success(request, _("An invitation is on its way to %(email)s.") % {"email": email})
    return redirect("people")


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
@fresh
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Role and rights of one person."""
    editor = get_object_or_404(Editor.objects.people(), pk=pk)
    form = RightsForm.of(editor)
    if request.method == "POST":
        form = RightsForm(request.POST)
        if form.is_valid():
            try:
                people.change(
                    editor,
                    form.cleaned_data["role"],
                    form.rights(),
                    editor_of(request),
                    topics=[topic.pk for topic in form.cleaned_data["topics"]],
                    all_topics=form.cleaned_data["every_topic"],
                )
            except people.PeopleRefused as refused:
                form.add_error("role", str(refused))
            else:
                messages.success(request, _("Saved. It takes effect at once."))
                return redirect("people")
    context = {"form": form, "editor": editor, "tab": "people", "here": "settings"}
    return render(request, "people/person.html", context, status=422 if form.errors else 200)


def _actions() -> dict[str, tuple[Callable[[Editor, Editor], Any], str]]:
    """What the buttons do, and what the page says then."""
    return {
        "link": (
            to_editors.mail_password_link,
            _("A link for a new password is on its way to %(email)s."),
        ),
        "sessions": (people.end_sessions, _("%(name)s is signed out everywhere.")),
        "reset": (
            to_editors.reset_access,
            _("%(name)s is signed out, and gets a link to choose a new password."),
        ),
        "disable": (people.disable, _("%(name)s is signed out, and can’t sign in any more.")),
        "enable": (people.enable, _("%(name)s can sign in again.")),
        "again": (to_editors.invite_again, _("An invitation is on its way to %(email)s.")),
        "cancel": (people.cancel_invitation, _("The invitation of %(email)s is cancelled.")),
    }


#: These ask first.
_GRAVE = ("disable", "reset")


@needs(Right.ADMINISTER)
@require_POST
@fresh
def person_do(request: HttpRequest, pk: int) -> HttpResponse:
    """Does what the button says, by `do`."""
    editor = get_object_or_404(Editor.objects.people(), pk=pk)
    action, text = _actions().get(request.POST.get("do", ""), (None, ""))
    if action is None:
        raise BadRequest("no such action")
    if request.POST["do"] in _GRAVE and "sure" not in request.POST:
        asked = {
            "editor": editor,
            "do": request.POST["do"],
            "keys": made_by(editor),  # they stay good: programs need them
        }
        return render(request, "people/sure.html", {**asked, "tab": "people", "here": "settings"})
    try:
        action(editor, editor_of(request))
    except people.PeopleRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, text % {"name": editor.name, "email": editor.email})
    return redirect("people")
