"""Pages of the consent texts and the privacy notice: all versions, and publishing a new one."""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience.consent import texts
from morefollows.audience.models import Topic, Wording
from morefollows.audit.actions import record
from morefollows.desk.common import editor_of, needs
from morefollows.desk.consent_texts.forms import WordsForm
from morefollows.desk.settings.common import page as settings_page
from morefollows.stories import markdown


@needs(Right.ADMINISTER)
@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    """All versions of all texts, the newest first. The newest is in force."""
    kept: dict[tuple[str, str], list[Wording]] = {}
    for wording in Wording.objects.order_by("-version"):
        kept.setdefault((wording.kind, wording.language), []).append(wording)
    groups = [
        (
            kind,
            [(code, name, kept.get((kind.value, code), [])) for code, name in settings.LANGUAGES],
        )
        for kind in Wording.Kind
    ]
    return render(request, "consent_texts/versions.html", settings_page("consent", groups=groups))


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, kind: str, language: str) -> HttpResponse:
    """Edits a new version, shows its preview, and publishes it."""
    if kind not in Wording.Kind.values or language not in dict(settings.LANGUAGES):
        raise Http404
    newest = Wording.objects.filter(kind=kind, language=language).order_by("-version").first()
    if request.method != "POST":
        begun = {"text": newest.text if newest else "", "version": newest.version if newest else 0}
        return _page(request, WordsForm(kind=kind, initial=begun), kind, language, newest)
    form = WordsForm(request.POST, kind=kind)
    if not form.is_valid():
        return _page(request, form, kind, language, newest, status=422)
    text = form.cleaned_data["text"]
    # `seen` is the hash of the previewed text: only that text can be published.
    seen = hashlib.sha256(text.encode()).hexdigest()
    if "publish" not in request.POST or request.POST.get("seen") != seen:
        return _page(request, form, kind, language, newest, preview=_shown(kind, text), seen=seen)
    with transaction.atomic():
        published = texts.publish_after(form.cleaned_data["version"], kind, language, text)
        if published is not None:
            record(
                editor_of(request),
                "publish words",
                subject=f"{kind} {language}",
                kind=kind,
                language=language,
                version=published.version,
            )
    if published is None:
        form.add_error(
            None, _("Somebody else has published a version since you began. It is shown below.")
        )
        return _page(request, form, kind, language, newest, status=409, theirs=newest)
    messages.success(request, _("Version %(number)d is in force.") % {"number": published.version})
    return redirect("words")


def _page(
    request: HttpRequest,
    form: WordsForm,
    kind: str,
    language: str,
    newest: Wording | None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "form": form,
        "kind": Wording.Kind(kind),
        "language": language,
        "language_name": dict(settings.LANGUAGES)[language],
        "newest": newest,
        "number": (newest.version if newest else 0) + 1,
        **more,
    }
    return render(
        request, "consent_texts/publish.html", settings_page("consent", **context), status=status
    )


def _shown(kind: str, text: str) -> str:
    """The text as readers see it; the privacy notice as safe HTML."""
    if kind == Wording.Kind.PRIVACY:
        return markdown.to_html(text)
    topic = Topic.objects.first()
    return text.replace("{topic}", topic.name) if topic else text
