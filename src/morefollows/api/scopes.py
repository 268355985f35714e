"""Scopes: what a key may be used for. A scope never gives a right that the key's role lacks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """A group of requests. The value is resource:action."""

    STORIES_READ = "stories:read", _("read stories, drafts included")
    STORIES_WRITE = "stories:write", _("write drafts and updates, add images")
    ALERTS_READ = "alerts:read", _("read alerts, their progress and reports")
    ALERTS_SEND = (
        "alerts:send",
        _("send what a colleague has approved; take back, pause, stop"),
    )
    ALERTS_SEND_ALONE = "alerts:send-alone", _("send alerts without approval")
    TOPICS_READ = "topics:read", _("read topics and how many readers they have")
    TOPICS_WRITE = "topics:write", _("add, change, order and retire topics")
    READERS_READ = "readers:read", _("look readers up, and export them")
    READERS_WRITE = "readers:write", _("sign readers up, withdraw consent, erase, import")
    PEOPLE_READ = "people:read", _("read who works at the desk, and their rights")
    PEOPLE_WRITE = "people:write", _("invite people, change their rights, disable accounts")
    SETTINGS_READ = "settings:read", _("read settings, except secrets")
    SETTINGS_WRITE = "settings:write", _("change settings")
    SUPPRESSIONS_READ = "suppressions:read", _("look suppressions up")
    SUPPRESSIONS_WRITE = "suppressions:write", _("suppress addresses, and lift suppressions")
    WIRE_READ = "wire:read", _("read what comes in from sources of news")
    WIRE_WRITE = "wire:write", _("make drafts of what comes in, or ignore it")
    RULES_READ = "rules:read", _("read the rules for the wire, and simulate one")
    RULES_WRITE = "rules:write", _("make, change, order and remove rules for the wire")
    INGEST_READ = "ingest:read", _("read the sources of news, and how they are")
    INGEST_WRITE = "ingest:write", _("push news of wires and feeds")
    SOURCES_READ = "sources:read", _("read how sources of news are set up")
    SOURCES_WRITE = "sources:write", _("add, change, pause and remove sources of news")
    LOG_READ = "log:read", _("read the activity log")
    WEBHOOKS_READ = "webhooks:read", _("read webhooks and their deliveries")
    WEBHOOKS_WRITE = "webhooks:write", _("add, change and remove webhooks")
    DRILLS_READ = "drills:read", _("read who takes part in drills")
    DRILLS_WRITE = "drills:write", _("invite to drills, and remove from them")
    FEEDBACK_READ = "feedback:read", _("read what came back, and replies of readers")
    FEEDBACK_WRITE = (
        "feedback:write",
        _("decide about floods of bounces, correct judgements, deal with replies"),
    )
    HEALTH_READ = "health:read", _("read the state of relays and senders")
    RELAYS_WRITE = "relays:write", _("pause and resume relays")
