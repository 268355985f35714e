"""Pages of the topics: the list, one topic, and merging, which asks in counts first."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from morefollows.accounts.rights import Right
from morefollows.audience.models import Topic
from morefollows.audience.topics import actions, merging
from morefollows.desk.common import editor_of, needs
from morefollows.desk.settings.common import page, tell_saved
from morefollows.desk.settings.topics.forms import TopicForm
from morefollows.stories.alerts import alert_audience


@needs(Right.ADMINISTER)
@require_safe
def topics_page(request: HttpRequest) -> HttpResponse:
    """All topics in the readers' order."""
    topics = list(Topic.objects.select_related("merged_into"))
    counted = alert_audience.by_topic()
    rows = [
        {
            "topic": topic,
            "readers": counted.get(topic.pk, 0),
            "waiting": merging.left_to_move(topic),
            "languages": [name for name, _description in topic.translated().values() if name],
        }
        for topic in topics
    ]
    return render(request, "settings/topics.html", page("topics", rows=rows))


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def topic_page(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Adds a topic, or changes the one with this slug."""
    topic = get_object_or_404(Topic, slug=slug) if slug else None
    form = TopicForm(request.POST if request.method == "POST" else None, topic=topic)
    if request.method == "POST" and form.is_valid() and (made := form.apply(editor_of(request))):
        tell_saved(request)
        if topic is None:
            _tell_taken(request, made)
        return redirect("settings-topics")
    context = page("topics", form=form, topic=topic)
    if topic is not None:
        context["readers"] = alert_audience.count_readers(topic)
        context["others"] = actions.in_use().exclude(pk=topic.pk)
        if topic.access == Topic.Access.INVITED:
            context["invitation"] = actions.topic_invitation(topic)
    return render(request, "settings/topic.html", context, status=422 if form.errors else 200)


def _tell_taken(request: HttpRequest, made: Topic) -> None:
    """Tells if the new topic's address is not made of its name alone."""
    wanted = actions.plain_slug(made.name)
    if made.slug != wanted:
        text = _(
            "“%(taken)s” is taken by another topic. The sign-up address of this one is %(own)s."
        )
        own = reverse("sign-up", args=[made.slug])
        messages.warning(request, text % {"taken": wanted, "own": own})


@needs(Right.ADMINISTER)
@require_POST
def topic_do(request: HttpRequest, slug: str) -> HttpResponse:
    """Moves, retires or brings back a topic, or makes a new invitation link."""
    topic, by = get_object_or_404(Topic, slug=slug), editor_of(request)
    try:
        match request.POST.get("do"):
            case "up":
                actions.move_topic(by, topic, -1)
            case "down":
                actions.move_topic(by, topic, 1)
            case "retire":
                actions.retire_topic(by, topic)
                messages.success(
                    request,
                    _("%(topic)s is retired. Its readers’ consents stay on record.")
                    % {"topic": topic.name},
                )
            case "bring back":
                actions.bring_topic_back(by, topic)
                messages.success(
                    request, _("Readers can sign up to %(topic)s again.") % {"topic": topic.name}
                )
            case "renew":
                actions.renew_invitation(by, topic)
                messages.success(request, _("The link of before no longer works."))
                return redirect("settings-topic", slug=slug)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("settings-topics")


@needs(Right.ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def topic_merge(request: HttpRequest, slug: str) -> HttpResponse:
    """Tells in counts what merging would do (GET, with the other topic), and does it (POST)."""
    topic = get_object_or_404(Topic, slug=slug)
    given = request.POST if request.method == "POST" else request.GET
    into = get_object_or_404(actions.in_use().exclude(pk=topic.pk), slug=given.get("into", ""))
    if request.method == "POST":
        try:
            merging.merge_topics(editor_of(request), topic, into)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            done = _("%(topic)s is merged into %(into)s.")
            messages.success(request, done % {"topic": topic.name, "into": into.name})
        return redirect("settings-topics")
    context = page("topics", topic=topic, into=into, counts=merging.count_merge(topic, into))
    return render(request, "settings/merge.html", context)
