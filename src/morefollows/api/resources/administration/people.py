"""People: who works at the desk. Needs a key of an administrator's role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from django.db import transaction
from django.http import HttpResponse
from ninja import Field, Path, Query, Router, Schema, Status

from morefollows.accounts import people
from morefollows.accounts.models import Editor
from morefollows.api.fields import Line, Slug, Text, YesNo
from morefollows.api.http.paging import PageQuery, page
from morefollows.api.http.problems import FieldError, ProblemDetails, not_found
from morefollows.api.requests import ApiRequest, KeyWith
from morefollows.api.resources.access import administrator, topic_by_slug
from morefollows.api.scopes import Scope
from morefollows.audience.addresses import BadAddress
from morefollows.courier.outbox import to_editors

router = Router()
_MAY = "see and change people"  # with the role administrator alone

RoleName = Literal["reporter", "editor", "administrator"]
PersonId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class PersonOut(Schema):
    id: int
    email: str
    name: str
    role: RoleName
    topics: list[str] | None = Field(description="Slugs; null: all.")
    offers: bool
    active: bool
    invited_at: datetime | None


class PersonPage(Schema):
    items: list[PersonOut]
    next_cursor: str | None


class InvitationIn(Schema):
    email: Text = Field(max_length=254, min_length=1)
    name: Line = Field("", max_length=100)
    role: RoleName


class PersonChange(Schema):
    """What is left out, or null, stays."""

    role: RoleName | None = None
    topics: list[Slug] | None = Field(None, max_length=100, description="Slugs of some.")
    all_topics: YesNo | None = None
    offers: YesNo | None = None
    active: YesNo | None = None


def _person_out(one: Editor) -> PersonOut:
    return PersonOut(
        id=one.pk,
        email=one.email,
        name=one.name,
        role=cast(RoleName, one.role),
        topics=None if one.all_topics else [topic.slug for topic in one.topics.all()],
        offers=one.writes_offers,
        active=one.is_active,
        invited_at=one.invited_at,
    )


def _person(person_id: int) -> Editor:
    found = Editor.objects.people().filter(pk=person_id).first()
    if found is None:
        raise not_found(f"person {person_id}")
    return found


def _tried(entry: Callable[[], Any]) -> Any:
    try:
        return entry()
    except people.PeopleRefused as refused:
        raise ProblemDetails(409, "state", str(refused)) from None
    except BadAddress as reason:
        detail = str(reason)
        raise ProblemDetails(
            409, "invalid", f"email: {detail}", errors=[FieldError("email", detail)]
        ) from None


@router.get("", auth=KeyWith(Scope.PEOPLE_READ), response=PersonPage, operation_id="listPeople")
def list_people(request: ApiRequest, response: HttpResponse, query: Query[PageQuery]) -> Any:
    """List everybody who works at the desk, newest first."""
    administrator(request, _MAY)
    everybody = Editor.objects.people().prefetch_related("topics")
    return page(request, response, everybody, query, _person_out)


@router.get(
    "/{int:person_id}",
    auth=KeyWith(Scope.PEOPLE_READ),
    response=PersonOut,
    operation_id="getPerson",
)
def get_person(request: ApiRequest, person_id: PersonId) -> Any:
    """Show a person."""
    administrator(request, _MAY)
    return _person_out(_person(person_id))


@router.post(
    "", auth=KeyWith(Scope.PEOPLE_WRITE), response={201: PersonOut}, operation_id="invitePerson"
)
def invite_person(request: ApiRequest, response: HttpResponse, payload: InvitationIn) -> Any:
    """Invite a person by mail. The link in it leads to a password or passkey of their own."""
    by = administrator(request, _MAY)
    made = _tried(lambda: to_editors.invite(payload.email, payload.name, payload.role, by))
    response["Location"] = f"/api/v1/people/{made.pk}"
    return Status(201, _person_out(made))


@router.patch(
    "/{int:person_id}",
    auth=KeyWith(Scope.PEOPLE_WRITE),
    response=PersonOut,
    operation_id="changePerson",
)
def change_person(request: ApiRequest, person_id: PersonId, payload: PersonChange) -> Any:
    """Change a person’s role and rights, or disable and enable the account."""
    by, person = administrator(request, _MAY), _person(person_id)
    with transaction.atomic():  # all of it or nothing
        _change(by, person, payload)
    return _person_out(_person(person_id))


def _change(by: Editor, person: Editor, payload: PersonChange) -> None:
    topics = None
    if payload.topics is not None:
        topics = [topic_by_slug(slug, "topics").pk for slug in payload.topics]
    if payload.role is not None:
        role = payload.role
        _tried(lambda: people.change_role(person, role, by))
    rights = {} if payload.offers is None else {"writes_offers": payload.offers}
    if rights or topics is not None or payload.all_topics is not None:
        people.grant(person, rights, by, topics=topics, all_topics=payload.all_topics)
    if payload.active is not None:
        _tried(lambda: (people.enable if payload.active else people.disable)(person, by))


@router.post(
    "/{int:person_id}/end-sessions",
    auth=KeyWith(Scope.PEOPLE_WRITE),
    response={204: None},
    operation_id="endSessions",
)
def end_sessions(request: ApiRequest, person_id: PersonId) -> Any:
    """Sign a person out everywhere."""
    by = administrator(request, _MAY)
    people.end_sessions(_person(person_id), by)
    return Status(204, None)
