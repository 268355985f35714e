"""Home: the box for news, what is on its way, what needs somebody, drafts, live stories."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from morefollows.accounts.models import Editor
from morefollows.audience.models import Reader, Topic
from morefollows.audit.models import AuditEntry
from morefollows.courier.models import Batch
from morefollows.stories import actions
from morefollows.stories.alerts import hold_actions, publication
from morefollows.stories.drafts import deletion
from morefollows.stories.drafts.actions import save_story
from morefollows.stories.drafts.approval_requests import request_approval
from morefollows.stories.errors import ActionRefused
from morefollows.stories.models import Alert, Story, Update

pytestmark = pytest.mark.usefixtures("newsroom")


def home(client: Client, **query: str) -> str:
    return client.get("/desk/", query).content.decode()


def part(page: str, name: str) -> str:
    """The section of Home with this heading's id; "" if it is hidden."""
    found = re.search(
        rf'<section[^>]*aria-labelledby="{name}"([^>]*)>(.*?)</section>', page, re.DOTALL
    )
    assert found, page
    return "" if "hidden" in found[1] else found[2]


def test_a_headline_begins_a_story(ben_at_desk: Client, ben: Editor, breaking: Topic) -> None:
    assert "autofocus" in home(ben_at_desk)
    answer = ben_at_desk.post("/desk/start/", {"headline": "  Lock bridge stuck open "})
    story = Story.objects.get()
    assert answer.headers["Location"] == f"/desk/story/{story.uuid}/"
    assert (story.headline, story.author, story.state) == ("Lock bridge stuck open", ben, "draft")
    assert "Lock bridge stuck open" in part(home(ben_at_desk), "drafts")


def test_a_form_that_is_sent_twice_begins_one_story(ben_at_desk: Client, breaking: Topic) -> None:
    found = re.search(r'name="uuid" value="([^"]+)"', home(ben_at_desk))
    assert found
    first = {"headline": "Lock bridge stuck open", "uuid": found[1]}
    leads = [ben_at_desk.post("/desk/start/", first).headers["Location"] for _ in range(2)]
    story = Story.objects.get()
    assert leads == [f"/desk/story/{story.uuid}/"] * 2 and str(story.uuid) == found[1]
    # Back in the browser, the same form with other news.
    ben_at_desk.post("/desk/start/", first | {"headline": "Ferry late"})
    assert {one.headline for one in Story.objects.all()} == {"Lock bridge stuck open", "Ferry late"}
    ben_at_desk.post("/desk/start/", {"headline": "A", "uuid": "none"})
    assert Story.objects.filter(headline="A").count() == 1


def test_a_story_begun_on_home_is_as_one_of_the_write_page(
    ben_at_desk: Client, breaking: Topic
) -> None:
    blank = ben_at_desk.get("/desk/story/new/?headline=A").context["form"]
    ben_at_desk.post("/desk/start/", {"headline": "A"})
    begun = ben_at_desk.get(f"/desk/story/{Story.objects.get().uuid}/").context["form"]
    assert begun["byline"].value() == "Ben Okoro"
    names = ("headline", "standfirst", "text", "byline", "place", "language", "embargo_until")
    assert [begun[name].value() or "" for name in names] == [
        blank[name].value() or "" for name in names
    ]
    assert begun["topic"].value() == blank["topic"].value()


def test_no_story_begins_in_a_retired_topic(ben_at_desk: Client, breaking: Topic) -> None:
    Topic.objects.filter(pk=breaking.pk).update(access=Topic.Access.RETIRED)
    ben_at_desk.post("/desk/start/", {"headline": "A"})
    assert Story.objects.get().topic != breaking


def test_a_headline_that_is_too_long_is_kept(ada_at_desk: Client) -> None:
    answer = ada_at_desk.post("/desk/start/", {"headline": "x" * 151})
    page = answer.content.decode()
    assert answer.status_code == 422 and "x" * 151 in page and 'aria-invalid="true"' in page
    assert not Story.objects.exists()
    assert ada_at_desk.post("/desk/start/", {}).headers["Location"] == "/desk/story/new/"
    assert ada_at_desk.get("/desk/start/").status_code == 405


def test_a_story_begins_in_a_topic_of_the_writer(
    ben_at_desk: Client, ben: Editor, newsroom: object
) -> None:
    ben.all_topics = False
    ben.save()
    assert (
        "You have no topic" in ben_at_desk.post("/desk/start/", {"headline": "A"}).content.decode()
    )
    ben.topics.add(Topic.objects.get(slug="politics"))
    ben_at_desk.post("/desk/start/", {"headline": "A"})
    assert Story.objects.get().topic.slug == "politics"  # type: ignore[union-attr]


def test_an_alert_on_its_way_has_a_card(ada_at_desk: Client, story: Story, cy: Reader) -> None:
    alert = actions.send(story, story.author, hold=600, alone_reason="alone")
    card = part(home(ada_at_desk), "way")
    assert "Alert" in card and "On hold" in card and re.search(r"to 1 reader\s*</p>", card)
    assert f"/desk/alert/{alert.uuid}/take-back/" in card and "Stop" not in card
    assert not part(home(ada_at_desk), "sched")
    Alert.objects.filter(pk=alert.pk).update(held_until_ms=1)
    assert publication.release(alert.pk)
    Batch.objects.create(
        alert=alert,
        number=1,
        size=9,
        accepted=4,
        readers=b"",
        first=1,
        last=9,
        outcomes=b"",
        times=b"",
    )
    Alert.objects.filter(pk=alert.pk).update(cut_done=True)
    card = part(home(ada_at_desk), "way")
    assert "<b>4</b> of 9 accepted" in card and "5 readers will not get it" in card
    answer = ada_at_desk.post(f"/desk/alert/{alert.uuid}/pause/", {"back": "home"})
    assert answer.headers["Location"] == "/desk/"
    assert "Resume sending to 5" in part(home(ada_at_desk), "way")


def test_a_correction_and_a_drill_are_named(ada_at_desk: Client, ada: Editor, story: Story) -> None:
    alert = actions.send(story, ada, hold=600, alone_reason="alone")
    Alert.objects.filter(pk=alert.pk).update(state=Alert.State.SENDING)
    for kind, name in (("correction", "Correction"), ("withdrawal", "Retraction")):
        alert.update.kind = kind
        alert.update.save()
        assert f">{name}<" in part(home(ada_at_desk), "way")


def test_a_drill_is_named(ada_at_desk: Client, ada: Editor, story: Story) -> None:
    story.drill = True
    story.save()
    actions.send(story, ada, hold=600, alone_reason="alone")
    assert '<span class="badge drill">Drill</span>' in part(home(ada_at_desk), "way")


def test_a_reporter_is_offered_no_button(ben_at_desk: Client, story: Story, ada: Editor) -> None:
    actions.send(story, ada, hold=600, alone_reason="alone")
    assert "<button" not in part(home(ben_at_desk), "way")


def test_what_is_scheduled_has_its_day_and_time(ada_at_desk: Client, story: Story) -> None:
    at = timezone.now() + timedelta(days=9)
    actions.send(story, story.author, at=at, alone_reason="alone")
    page = home(ada_at_desk)
    assert not part(page, "way")
    scheduled = part(page, "sched")
    assert at.strftime("%a ") in scheduled and re.search("in (9 days|8 days 23 h)", scheduled)
    assert story.headline not in part(page, "drafts")


def test_who_is_asked_for_approval_sees_it(
    ada_at_desk: Client, ben_at_desk: Client, ada: Editor, ben: Editor, breaking: Topic
) -> None:
    import uuid

    story = save_story(
        uuid.uuid4(), ben, revision=0, headline="Mayor resigns", standfirst="", text="t",
        topic=breaking, language="en",
    )  # fmt: skip
    request_approval(story, ben, of=ada, revision=1, note="Legal has seen it")
    needs = part(home(ada_at_desk), "needs")
    assert "Ben Okoro asked" in needs and "Legal has seen it" in needs
    assert not part(home(ben_at_desk), "needs")


def test_an_alert_that_failed_needs_somebody(ada_at_desk: Client, story: Story) -> None:
    alert = actions.send(story, story.author, hold=0, alone_reason="alone")
    Alert.objects.filter(pk=alert.pk).update(state=Alert.State.SENT, ended_at=timezone.now())
    batch = Batch.objects.create(
        alert=alert, number=1, size=100, accepted=99, refused=1, readers=b"", first=1, last=9,
        outcomes=b"", times=b"",
    )  # fmt: skip
    assert not part(home(ada_at_desk), "needs"), "some refusals are no failure"
    Batch.objects.filter(pk=batch.pk).update(accepted=80, refused=20)
    assert "20 not reached" in part(home(ada_at_desk), "needs")


def test_a_draft_is_deleted_and_brought_back(
    ada_at_desk: Client, ada: Editor, story: Story
) -> None:
    address = f"/desk/story/{story.uuid}"
    assert ada_at_desk.get(f"{address}/delete/").status_code == 405
    page = ada_at_desk.post(f"{address}/delete/", follow=True).content.decode()
    assert "can be brought back for 30 days" in page
    assert story.headline not in part(page, "drafts") and "Deleted (1)" in page
    assert story.headline in ada_at_desk.get("/desk/deleted/").content.decode()
    with pytest.raises(ActionRefused, match="deleted"):
        actions.send(story, ada, alone_reason="alone")
    ada_at_desk.post(f"{address}/restore/")
    page = home(ada_at_desk)
    assert story.headline in part(page, "drafts") and "Deleted (" not in page
    done = AuditEntry.objects.filter(story=story).values_list("what", flat=True)
    assert {"delete draft", "bring back draft"} <= set(done)


def test_what_was_sent_or_is_anothers_is_not_deleted(
    ben: Editor, ada: Editor, story: Story
) -> None:
    ben.all_topics = False
    ben.save()
    with pytest.raises(ActionRefused, match="not one of yours"):
        deletion.delete_draft(story, ben)
    actions.send(story, ada, hold=600, alone_reason="alone")
    with pytest.raises(ActionRefused, match="on its way"):
        deletion.delete_draft(story, ada)
    Story.objects.filter(pk=story.pk).update(state="live")
    with pytest.raises(ActionRefused, match="has been sent"):
        deletion.delete_draft(story, ada)


def test_after_thirty_days_the_text_is_erased(ada: Editor, story: Story) -> None:
    deletion.delete_draft(story, ada)
    assert deletion.erase_old() == 0
    Story.objects.update(deleted_at=timezone.now() - deletion.KEPT)
    assert (deletion.erase_old(), deletion.erase_old()) == (1, 0)
    story.refresh_from_db()
    assert (story.text, story.standfirst) == ("", "") and story.headline
    assert not deletion.deleted().exists()
    with pytest.raises(ActionRefused, match="more than 30 days"):
        deletion.bring_back(story, ada)


def test_the_parts_renew_themselves(ada_at_desk: Client, story: Story) -> None:
    first = ada_at_desk.get("/desk/parts/")
    tag = first.headers["ETag"]
    same = ada_at_desk.get("/desk/parts/", headers={"If-None-Match": tag})
    assert same.status_code == 304 and not same.content
    story.headline = "Another headline"
    story.save()
    changed = ada_at_desk.get("/desk/parts/", headers={"If-None-Match": tag})
    assert changed.status_code == 200 and "Another headline" in changed.content.decode()
    assert Client().get("/desk/parts/").status_code == 302


def test_go_to_anything_finds_stories_and_no_addresses(ada_at_desk: Client, story: Story) -> None:
    assert story.headline in ada_at_desk.get("/desk/go/", {"q": "bridge ferry"}).content.decode()
    for words in ("", "bridge tunnel", "bridge@ferry"):
        assert story.headline not in ada_at_desk.get("/desk/go/", {"q": words}).content.decode()


def test_what_has_not_left_is_not_called_sent(
    ada_at_desk: Client, ada: Editor, story: Story, cy: Reader
) -> None:
    alert = actions.send(story, ada, hold=600, alone_reason="Alone on shift")
    where = reverse("alert", args=(alert.uuid,))
    card = part(home(ada_at_desk), "way")
    assert "Send pressed by Ada Marsh" in card and "sent by" not in card
    held = ada_at_desk.get(where).content.decode()
    assert "Send pressed by Ada Marsh" in held
    assert "Sent by" not in held and "Sent without approval" not in held
    hold_actions.take_back(alert, ada)
    later = actions.send(story, ada, at=timezone.now() + timedelta(hours=2))
    held = ada_at_desk.get(reverse("alert", args=(later.uuid,))).content.decode()
    assert "Scheduled by Ada Marsh." in held and "Send pressed" not in held
    Alert.objects.update(not_before_ms=None, held_until_ms=1)
    assert publication.release(later.pk)
    assert "sent by Ada Marsh" in part(home(ada_at_desk), "way")


def test_a_live_story_says_its_updates_and_can_be_put_right(
    ada_at_desk: Client, ben_at_desk: Client, ada: Editor, story: Story, cy: Reader
) -> None:
    assert publication.release(actions.send(story, ada, hold=0, alone_reason="alone").pk)
    live = part(home(ada_at_desk), "live")
    assert "First alert only," in " ".join(live.split()) and "1 update" not in live
    correct = reverse("story-develop", args=(story.uuid,)) + "?kind=correction"
    retract = reverse("story-withdraw", args=(story.uuid,))
    assert "Something is wrong" in live and correct in live and retract in live
    bens = part(home(ben_at_desk), "live")
    assert correct in bens and retract not in bens and "Only an editor can retract" in bens


def test_a_live_story_tells_updates_from_corrections(
    ada_at_desk: Client, ada: Editor, story: Story
) -> None:
    assert publication.release(actions.send(story, ada, hold=0, alone_reason="alone").pk)
    for number, kind in ((2, "correction"), (3, "update"), (4, "update")):
        Update.objects.create(
            story=story, number=number, kind=kind, headline="More", text="More.", language="en",
            author=ada, published_at=timezone.now(),
        )  # fmt: skip
        if number == 2:
            live = part(home(ada_at_desk), "live")
            assert "1 correction, last" in live and "1 update" not in live
    assert "2 updates, 1 correction, last" in part(home(ada_at_desk), "live")


def test_live_stories_come_before_what_is_scheduled_and_drafts(ada_at_desk: Client) -> None:
    page = home(ada_at_desk)
    assert page.index('id="live"') < page.index('id="sched"') < page.index('id="drafts"')
