"""The page of the brand, and the colours for its live previews."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience.addresses import BadAddress
from morefollows.audience.models import Newsroom, Topic
from morefollows.audit.actions import record
from morefollows.courier.checkup.trial_alert import KINDS, send_trial_alert
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.brand.forms import BrandForm
from morefollows.desk.settings.common import page, tell_saved
from morefollows.setup.brand import palette
from morefollows.setup.brand.actions import COLOURS
from morefollows.setup.brand.look import brand_in_force

#: Field → the colours that it stands on: light or dark, and the token of the ground.
_SHOWN_ON = {
    "main": (0, "main", "paper"),
    "main_dark": (1, "main", "paper"),
    "notice": (0, "warm", "warm-soft"),
    "link": (0, "link", "paper"),
}


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def brand_page(request: HttpRequest) -> HttpResponse:
    """Shows and saves the brand. With `test` in the form it mails a sample alert instead."""
    if "test" in request.POST:
        return _send_test(request)
    form = BrandForm.of(brand_in_force())
    if request.method == "POST":
        form = BrandForm(request.POST, request.FILES)
        if form.is_valid() and form.apply(editor_of(request)):
            tell_saved(request)
            return redirect("settings-brand")
    context = page("brand", form=form, topic=Topic.objects.first(), **brand_colours(form))
    context["testable"] = settings.MOREFOLLOWS.relays_or_inbox[0].scheme in KINDS
    return render(request, "settings/brand.html", context, status=422 if form.errors else 200)


def _send_test(request: HttpRequest) -> HttpResponse:
    """Mails a sample alert in the saved brand to the signed-in editor, by the first relay."""
    by = editor_of(request)
    if not Newsroom.objects.filter(pk=1).exists():
        messages.error(request, _("The newsroom is not set up."))
        return redirect("settings-brand")
    try:
        result = send_trial_alert(by.email, first=False)
    except BadAddress as error:
        messages.error(request, str(error))
        return redirect("settings-brand")
    record(by, "mail test", subject="brand")
    if result.taken:
        words = _("A test is on its way to %(email)s.") % {"email": by.email}
        messages.success(request, words)
    else:
        words = _("The relay did not take it: %(reason)s") % {"reason": result.message}
        messages.error(request, words)
    return redirect("settings-brand")


@needs(Right.ADMINISTER)
@require_safe
def brand_palette(request: HttpRequest) -> JsonResponse:
    """The colours that follow from those of the query, for previews. Changes nothing."""
    chosen = {}
    for name in COLOURS:
        try:
            chosen[name] = palette.colour(request.GET[name]) if request.GET.get(name) else ""
        except ValueError:
            chosen[name] = ""
    light, dark = palette.palette(**chosen)
    problems = {one.field: one.suggestion for one in palette.colour_problems(**chosen)}
    return JsonResponse(
        {
            "tokens": {f"--b-{name}": f"light-dark({light[name]}, {dark[name]})" for name in light},
            "colours": {
                name: {
                    "shown": (light, dark)[mode][token],
                    "ratio": number_format(
                        palette.ratio((light, dark)[mode][token], (light, dark)[mode][ground]), 1
                    ),
                    "suggestion": problems.get(name, ""),
                }
                for name, (mode, token, ground) in _SHOWN_ON.items()
            },
        }
    )


def brand_colours(form: BrandForm) -> dict[str, list[dict[str, object]]]:
    """For the template: each colour's field, what is shown of it, and its contrast."""
    chosen = {}
    for name in COLOURS:
        try:
            value = str(form[name].value() or "")
            chosen[name] = palette.colour(value) if value else ""
        except ValueError:
            chosen[name] = ""
    modes = palette.palette(**chosen)
    rows: list[dict[str, object]] = []
    for name, (mode, token, ground) in _SHOWN_ON.items():
        shown = modes[mode][token]
        rows.append(
            {
                "field": form[name],
                "shown": shown,
                "ratio": number_format(palette.ratio(shown, modes[mode][ground]), 1),
                "enough": palette.ratio(shown, modes[mode][ground]) >= palette.ENOUGH,
            }
        )
    return {"colours": rows}
