"""Page of the sign-up box: the code to copy, a preview, and the sites that may embed it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from morefollows.audience import sites
from morefollows.audience.models import Site, Topic
from morefollows.audience.signup import site_origins
from morefollows.audience.topics.actions import offered_topics
from morefollows.desk.common import at_desk, editor_of


@at_desk
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The page for one topic: that of the query, or the first."""
    topics = list(offered_topics())
    wanted = request.GET.get("topic", "")
    chosen = next(
        (topic for topic in topics if topic.slug == wanted), topics[0] if topics else None
    )
    languages = dict(settings.LANGUAGES)
    language = request.GET.get("lang", "")
    context = {
        "topics": topics,
        "chosen": chosen,
        "languages": languages.items(),
        "language": language if language in languages else getattr(request, "LANGUAGE_CODE", ""),
        "sites": Site.objects.all(),
        "may_change": editor_of(request).may_administer,
        "here": "box",
        "tab": "sites",
        **(_snippets(chosen) if chosen else {}),
    }
    return render(request, "sites/page.html", context)


@at_desk
@require_safe
def preview(request: HttpRequest, topic: str) -> HttpResponse:
    """A sample page for the preview's frame, with the code to copy."""
    language = request.GET.get("lang", "")
    context = {
        "topic": get_object_or_404(Topic, slug=topic),
        "language": language if language in dict(settings.LANGUAGES) else "en",
        "scheme": "dark" if request.GET.get("scheme") == "dark" else "light",
    }
    return render(request, "sites/preview.html", context)


@at_desk
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Allows a site to embed the box. Administrators only."""
    if not editor_of(request).may_administer:
        messages.error(request, _("Only administrators change which sites may show the box."))
        return redirect("sites")
    try:
        origin = site_origins.origin(request.POST.get("address", ""))
        site = sites.add_site(origin, editor_of(request))
    except site_origins.BadOrigin as reason:
        messages.error(request, _("That is no site: %(reason)s.") % {"reason": reason})
    else:
        messages.success(
            request, _("Pages of %(site)s may show the box now.") % {"site": site.origin}
        )
    return redirect("sites")


@at_desk
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Stops a site from embedding the box. Administrators only."""
    if not editor_of(request).may_administer:
        messages.error(request, _("Only administrators change which sites may show the box."))
        return redirect("sites")
    site = request.POST.get("site", "")
    if sites.remove_site(site, editor_of(request)):
        messages.success(
            request, _("Pages of %(site)s may not show the box any more.") % {"site": site}
        )
    return redirect("sites")


def _snippets(topic: Topic) -> dict[str, str]:
    """The code to copy: a script element, and a plain form for pages without scripts."""
    site = settings.MOREFOLLOWS.url
    address = f"{site}{reverse('sign-up', args=[topic.slug])}"
    name, label, button = escape(topic.name), _("Email address"), _("Sign up")
    script = (
        f'<script async src="{site}{reverse("box-script")}" data-topic="{topic.slug}"></script>'
    )
    form = (
        f'<form method="post" action="{address}">\n'
        f'  <label for="alerts">{name}: {label}</label>\n'
        f'  <input id="alerts" name="email" type="email" autocomplete="email" required>\n'
        f"  <button>{button}</button>\n"
        f"</form>"
    )
    return {"script": script, "plain": form}
