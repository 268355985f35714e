"""How many readers there are, by state and topic."""

from __future__ import annotations

from typing import Any

from ninja import Field, Router, Schema

from morefollows.api.http.problems import forbidden
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import account
from morefollows.api.resources.topics import AudienceOut
from morefollows.api.scopes import Scope
from morefollows.audience.statistics import growth
from morefollows.audience.topics.actions import in_use
from morefollows.stories.alerts import alert_audience

router = Router()


class AudienceCountsOut(Schema):
    """Readers are counted once in `states`, and once for each of their topics in `topics`."""

    states: dict[str, int] = Field(description="All readers by state, and suppressed addresses.")
    topics: list[AudienceOut] = Field(description="Whom an alert to each topic would reach.")


@router.get(
    "", auth=KeyWith(Scope.TOPICS_READ), response=AudienceCountsOut, operation_id="countAudience"
)
def count_audience(request: ApiRequest) -> Any:
    """Count readers by state, and by topic and language."""
    if not account(request).may_see_readers:
        raise forbidden("The key’s role can’t see readers.")
    found = alert_audience.languages_by_topic()
    topics = [
        AudienceOut(topic=topic.slug, readers=sum(languages.values()), by_language=languages)
        for topic in in_use()
        for languages in [found.get(topic.pk, {})]
    ]
    return {"states": growth.states(), "topics": topics}
