"""A method for each request of the API, async.

Made by tools/clients.py from clients/openapi.json: do not edit it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from morefollows_client import _models as models
from morefollows_client._async_transport import AsyncTransport
from morefollows_client._calls import UNSET, Call, Unset, Upload, path


class AsyncRequests(AsyncTransport):
    """The requests, by the names that the OpenAPI document gives them."""

    async def list_stories(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        state: Literal["draft", "live", "developing", "final", "withdrawn"] | None | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        deleted: bool | Unset = UNSET,
    ) -> models.StoryPage:
        """List stories, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        `deleted`: Only drafts that were deleted.
        """
        return await self._answer(
            Call(
                "GET",
                "/stories",
                models.StoryPage,
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "state": state,
                    "topic": topic,
                    "deleted": deleted,
                },
            )
        )

    def iter_stories(
        self,
        *,
        limit: int | Unset = UNSET,
        state: Literal["draft", "live", "developing", "final", "withdrawn"] | None | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        deleted: bool | Unset = UNSET,
    ) -> AsyncIterator[models.StoryOut]:
        """List stories, newest first. It fetches page after page.

        `limit`: Rows in the page.
        `deleted`: Only drafts that were deleted.
        """
        return self._items(
            Call(
                "GET",
                "/stories",
                models.StoryPage,
                query={"limit": limit, "state": state, "topic": topic, "deleted": deleted},
            )
        )

    async def create_story(
        self,
        *,
        headline: str,
        text: str,
        standfirst: str | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        language: Literal["en", "de", "fr", "es", "ar", "he"] | None | Unset = UNSET,
        embargo_until: datetime | None | Unset = UNSET,
        drill: bool | Unset = UNSET,
        offer: bool | Unset = UNSET,
        id: UUID | str | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.StoryOut:
        """Write the draft of a new story. Nothing is mailed.

        `headline`: One line.
        `standfirst`: One line.
        `text`: Markdown.
        `topic`: The slug of a topic; the first one if left out.
        `language`: null: the newsroom’s first.
        `embargo_until`: Nothing is published before.
        `drill`: It goes to the drill’s readers only.
        `offer`: For those who agreed to offers; it has no topic.
        `id`: Of your choice; made if left out.
        """
        return await self._answer(
            Call(
                "POST",
                "/stories",
                models.StoryOut,
                body={
                    "headline": headline,
                    "standfirst": standfirst,
                    "text": text,
                    "topic": topic,
                    "language": language,
                    "embargo_until": embargo_until,
                    "drill": drill,
                    "offer": offer,
                    "id": id,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def get_story(self, story_id: UUID | str) -> models.StoryOut:
        """Show a story with its draft."""
        return await self._answer(Call("GET", path("/stories/{}", story_id), models.StoryOut))

    async def change_story(
        self,
        story_id: UUID | str,
        *,
        headline: str | None | Unset = UNSET,
        standfirst: str | None | Unset = UNSET,
        text: str | None | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        language: Literal["en", "de", "fr", "es", "ar", "he"] | None | Unset = UNSET,
        embargo_until: datetime | None | Unset = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.StoryOut:
        """Change the draft of a story that has not been sent. Send `If-Match` to overwrite nobody."""
        return await self._answer(
            Call(
                "PATCH",
                path("/stories/{}", story_id),
                models.StoryOut,
                body={
                    "headline": headline,
                    "standfirst": standfirst,
                    "text": text,
                    "topic": topic,
                    "language": language,
                    "embargo_until": embargo_until,
                },
                if_match=if_match,
                idempotency_key=idempotency_key,
            )
        )

    async def delete_draft(
        self, story_id: UUID | str, *, idempotency_key: str | None = None
    ) -> None:
        """Delete the draft of a story that was never sent. `…/restore` brings it back for a while."""
        await self._done(
            Call("DELETE", path("/stories/{}", story_id), None, idempotency_key=idempotency_key)
        )

    async def draft_update(
        self,
        story_id: UUID | str,
        *,
        headline: str,
        text: str,
        kind: Literal["update", "correction", "final"] | Unset = UNSET,
        standfirst: str | Unset = UNSET,
        note: str | Unset = UNSET,
        corrects: Sequence[int] | Unset = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.StoryOut:
        """Write the draft of the next update, correction or final update. Nothing is mailed.

        `note`: Of a correction: what was wrong.
        `corrects`: Numbers of the updates it puts right.
        """
        return await self._answer(
            Call(
                "PUT",
                path("/stories/{}/draft", story_id),
                models.StoryOut,
                body={
                    "kind": kind,
                    "headline": headline,
                    "standfirst": standfirst,
                    "text": text,
                    "note": note,
                    "corrects": corrects,
                },
                if_match=if_match,
                idempotency_key=idempotency_key,
            )
        )

    async def list_updates(
        self, story_id: UUID | str, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.UpdatePage:
        """List what was sent or published of a story, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call(
                "GET",
                path("/stories/{}/updates", story_id),
                models.UpdatePage,
                query={"limit": limit, "cursor": cursor},
            )
        )

    def iter_updates(
        self, story_id: UUID | str, *, limit: int | Unset = UNSET
    ) -> AsyncIterator[models.UpdateOut]:
        """List what was sent or published of a story, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(
            Call(
                "GET",
                path("/stories/{}/updates", story_id),
                models.UpdatePage,
                query={"limit": limit},
            )
        )

    async def send_alert(
        self,
        story_id: UUID | str,
        *,
        hold_seconds: float | None | Unset = UNSET,
        audience: Literal["topic", "followers", "recipients", "drill", "offers", "page"]
        | None
        | Unset = UNSET,
        flash: bool | Unset = UNSET,
        at: datetime | None | Unset = UNSET,
        again: bool | Unset = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.AlertOut:
        """Send the draft. The hold begins, in which it can be taken back.

        `hold_seconds`: In which it can be taken back; null: as set.
        `flash`: Passes the quiet hours of readers who allow it.
        `at`: Not before this time.
        `again`: Though the same headline went out within 24 hours.
        """
        return await self._answer(
            Call(
                "POST",
                path("/stories/{}/alerts", story_id),
                models.AlertOut,
                body={
                    "hold_seconds": hold_seconds,
                    "audience": audience,
                    "flash": flash,
                    "at": at,
                    "again": again,
                },
                if_match=if_match,
                idempotency_key=idempotency_key,
            )
        )

    async def withdraw_story(
        self,
        story_id: UUID | str,
        *,
        reason: str,
        text: str,
        hold_seconds: float | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.AlertOut:
        """Withdraw the story: on its page, and by mail to all who were sent any of it.

        `reason`: One line, published.
        `text`: Markdown, published.
        """
        return await self._answer(
            Call(
                "POST",
                path("/stories/{}/withdrawal", story_id),
                models.AlertOut,
                body={"reason": reason, "text": text, "hold_seconds": hold_seconds},
                idempotency_key=idempotency_key,
            )
        )

    async def list_approvers(self, story_id: UUID | str) -> models.ApproverList:
        """List who may approve the story’s draft."""
        return await self._answer(
            Call("GET", path("/stories/{}/approvers", story_id), models.ApproverList)
        )

    async def request_approval(
        self,
        story_id: UUID | str,
        *,
        approver: int,
        note: str | Unset = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.StoryOut:
        """Ask a colleague to approve the draft. With that it can be sent by `alerts:send` alone.

        `approver`: The id, of `GET …/approvers`.
        """
        return await self._answer(
            Call(
                "POST",
                path("/stories/{}/approval-request", story_id),
                models.StoryOut,
                body={"approver": approver, "note": note},
                if_match=if_match,
                idempotency_key=idempotency_key,
            )
        )

    async def restore_draft(
        self, story_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.StoryOut:
        """Bring back a draft that was deleted."""
        return await self._answer(
            Call(
                "POST",
                path("/stories/{}/restore", story_id),
                models.StoryOut,
                idempotency_key=idempotency_key,
            )
        )

    async def close_story(
        self, story_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.StoryOut:
        """Close the story: its page no longer says that more follows. Nothing is mailed."""
        return await self._answer(
            Call(
                "POST",
                path("/stories/{}/close", story_id),
                models.StoryOut,
                idempotency_key=idempotency_key,
            )
        )

    async def reopen_story(
        self, story_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.StoryOut:
        """Reopen a closed story: more may follow, and its page says so. Nothing is mailed."""
        return await self._answer(
            Call(
                "POST",
                path("/stories/{}/reopen", story_id),
                models.StoryOut,
                idempotency_key=idempotency_key,
            )
        )

    async def list_alerts(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        state: Literal[
            "held",
            "sending",
            "paused",
            "asking",
            "sent",
            "taken back",
            "stopped",
            "overtaken",
            "expired",
        ]
        | None
        | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        story: UUID | str | None | Unset = UNSET,
    ) -> models.AlertPage:
        """List alerts, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call(
                "GET",
                "/alerts",
                models.AlertPage,
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "state": state,
                    "topic": topic,
                    "story": story,
                },
            )
        )

    def iter_alerts(
        self,
        *,
        limit: int | Unset = UNSET,
        state: Literal[
            "held",
            "sending",
            "paused",
            "asking",
            "sent",
            "taken back",
            "stopped",
            "overtaken",
            "expired",
        ]
        | None
        | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        story: UUID | str | None | Unset = UNSET,
    ) -> AsyncIterator[models.AlertOut]:
        """List alerts, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(
            Call(
                "GET",
                "/alerts",
                models.AlertPage,
                query={"limit": limit, "state": state, "topic": topic, "story": story},
            )
        )

    async def get_alert(self, alert_id: UUID | str) -> models.AlertOut:
        """Show an alert."""
        return await self._answer(Call("GET", path("/alerts/{}", alert_id), models.AlertOut))

    async def get_progress(self, alert_id: UUID | str) -> models.ProgressOut:
        """Show how many mails were accepted, refused, deferred … so far."""
        return await self._answer(
            Call("GET", path("/alerts/{}/progress", alert_id), models.ProgressOut)
        )

    async def get_report(self, alert_id: UUID | str) -> models.ReportOut:
        """Show what became of an alert’s mails, in short."""
        return await self._answer(
            Call("GET", path("/alerts/{}/report", alert_id), models.ReportOut)
        )

    async def take_back(
        self, alert_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """Take an alert back within its hold: nothing is mailed, and it is a draft again."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/take-back", alert_id),
                models.AlertOut,
                idempotency_key=idempotency_key,
            )
        )

    async def send_now(
        self, alert_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """End the hold: the first mails leave at once."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/send-now", alert_id),
                models.AlertOut,
                idempotency_key=idempotency_key,
            )
        )

    async def change_time(
        self, alert_id: UUID | str, *, at: datetime, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """Move a scheduled alert to another time."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/schedule", alert_id),
                models.AlertOut,
                body={"at": at},
                idempotency_key=idempotency_key,
            )
        )

    async def pause_alert(
        self, alert_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """Send no more mails of the alert until it is resumed."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/pause", alert_id),
                models.AlertOut,
                idempotency_key=idempotency_key,
            )
        )

    async def resume_alert(
        self, alert_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """Go on with an alert that is paused, or that asks."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/resume", alert_id),
                models.AlertOut,
                idempotency_key=idempotency_key,
            )
        )

    async def stop_alert(
        self, alert_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """Cancel the mails that have not left."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/stop", alert_id),
                models.AlertOut,
                idempotency_key=idempotency_key,
            )
        )

    async def retry_alert(
        self, alert_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """Try the readers again whom the alert could not reach."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/retry", alert_id),
                models.AlertOut,
                idempotency_key=idempotency_key,
            )
        )

    async def repeat_alert(
        self, alert_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.AlertOut:
        """Send uncertain mails again; some readers may have two."""
        return await self._answer(
            Call(
                "POST",
                path("/alerts/{}/repeat", alert_id),
                models.AlertOut,
                idempotency_key=idempotency_key,
            )
        )

    async def place_image(
        self,
        story_id: UUID | str,
        *,
        image: str,
        alt: str,
        caption: str | Unset = UNSET,
        credit: str | Unset = UNSET,
        place: Literal["top", "end"] | Unset = UNSET,
        if_match: int | None = None,
        idempotency_key: str | None = None,
    ) -> models.StoryOut:
        """Place an image in the draft of a story that has not been sent.

        `image`: The id.
        `alt`: For who can’t see it.
        """
        return await self._answer(
            Call(
                "POST",
                path("/stories/{}/images", story_id),
                models.StoryOut,
                body={
                    "image": image,
                    "alt": alt,
                    "caption": caption,
                    "credit": credit,
                    "place": place,
                },
                if_match=if_match,
                idempotency_key=idempotency_key,
            )
        )

    async def upload_image(
        self,
        content: Upload,
        *,
        content_type: str = "image/jpeg",
        idempotency_key: str | None = None,
    ) -> models.ImageOut:
        """Upload an image: JPEG, PNG, WebP or GIF. Its metadata is not kept. No story shows it
        yet.
        """
        return await self._answer(
            Call(
                "POST",
                "/images",
                models.ImageOut,
                content=content,
                content_type=content_type,
                idempotency_key=idempotency_key,
            )
        )

    async def count_audience(self) -> models.AudienceCountsOut:
        """Count readers by state, and by topic and language."""
        return await self._answer(Call("GET", "/audience", models.AudienceCountsOut))

    async def import_readers(
        self,
        content: Upload,
        *,
        topic: str | None | Unset = UNSET,
        provenance: str | Unset = UNSET,
        consented_at: datetime | None | Unset = UNSET,
        status: Literal["confirmed", "pending", "unsubscribed", "bounced", "complained"]
        | None
        | Unset = UNSET,
        column: Sequence[str] | Unset = UNSET,
        value: Sequence[str] | Unset = UNSET,
        dates: Literal["", "day-first", "month-first"] | Unset = UNSET,
        file_name: str | Unset = UNSET,
        dry_run: bool | Unset = UNSET,
        content_type: str = "text/csv",
        idempotency_key: str | None = None,
    ) -> models.ImportOut:
        """Upload readers as CSV, as `morefollows readers import` takes them. They are imported
        soon.

        `topic`: Where a line names none; else the first topic.
        `provenance`: Where and how they agreed. Without it they are pending.
        `consented_at`: Where the file does not say it.
        `status`: Of all whom the file does not call unsubscribed.
        `column`: What a column means: NAME=MEANING.
        `value`: What a status means: WORD=STATUS.
        `file_name`: Tells some exports apart.
        `dry_run`: Count what would become of each line.
        """
        return await self._answer(
            Call(
                "POST",
                "/imports",
                models.ImportOut,
                query={
                    "topic": topic,
                    "provenance": provenance,
                    "consented_at": consented_at,
                    "status": status,
                    "column": column,
                    "value": value,
                    "dates": dates,
                    "file_name": file_name,
                    "dry_run": dry_run,
                },
                content=content,
                content_type=content_type,
                idempotency_key=idempotency_key,
            )
        )

    async def list_imports(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.ImportPage:
        """List imports, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call("GET", "/imports", models.ImportPage, query={"limit": limit, "cursor": cursor})
        )

    def iter_imports(self, *, limit: int | Unset = UNSET) -> AsyncIterator[models.ImportOut]:
        """List imports, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(Call("GET", "/imports", models.ImportPage, query={"limit": limit}))

    async def get_import(self, import_id: UUID | str) -> models.ImportOut:
        """Show an import: how far it is, or what became of it. Webhooks get `import.finished`."""
        return await self._answer(Call("GET", path("/imports/{}", import_id), models.ImportOut))

    async def list_people(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.PersonPage:
        """List everybody who works at the desk, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call("GET", "/people", models.PersonPage, query={"limit": limit, "cursor": cursor})
        )

    def iter_people(self, *, limit: int | Unset = UNSET) -> AsyncIterator[models.PersonOut]:
        """List everybody who works at the desk, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(Call("GET", "/people", models.PersonPage, query={"limit": limit}))

    async def invite_person(
        self,
        *,
        email: str,
        role: Literal["reporter", "editor", "administrator"],
        name: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.PersonOut:
        """Invite a person by mail. The link in it leads to a password or passkey of their own."""
        return await self._answer(
            Call(
                "POST",
                "/people",
                models.PersonOut,
                body={"email": email, "name": name, "role": role},
                idempotency_key=idempotency_key,
            )
        )

    async def get_person(self, person_id: int) -> models.PersonOut:
        """Show a person."""
        return await self._answer(Call("GET", path("/people/{}", person_id), models.PersonOut))

    async def change_person(
        self,
        person_id: int,
        *,
        role: Literal["reporter", "editor", "administrator"] | None | Unset = UNSET,
        topics: Sequence[str] | None | Unset = UNSET,
        all_topics: bool | None | Unset = UNSET,
        offers: bool | None | Unset = UNSET,
        active: bool | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.PersonOut:
        """Change a person’s role and rights, or disable and enable the account.

        `topics`: Slugs of some.
        """
        return await self._answer(
            Call(
                "PATCH",
                path("/people/{}", person_id),
                models.PersonOut,
                body={
                    "role": role,
                    "topics": topics,
                    "all_topics": all_topics,
                    "offers": offers,
                    "active": active,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def end_sessions(self, person_id: int, *, idempotency_key: str | None = None) -> None:
        """Sign a person out everywhere."""
        await self._done(
            Call(
                "POST",
                path("/people/{}/end-sessions", person_id),
                None,
                idempotency_key=idempotency_key,
            )
        )

    async def list_settings(self) -> models.SettingList:
        """List the settings that can be changed here, with their values. Secrets are never shown."""
        return await self._answer(Call("GET", "/settings", models.SettingList))

    async def get_setting(self, name: str) -> models.SettingOut:
        """Show a setting."""
        return await self._answer(Call("GET", path("/settings/{}", name), models.SettingOut))

    async def change_setting(
        self, name: str, *, value: str, idempotency_key: str | None = None
    ) -> models.SettingOut:
        """Change a setting. What the environment gives can’t be changed here.

        `value`: As in the environment.
        """
        return await self._answer(
            Call(
                "PUT",
                path("/settings/{}", name),
                models.SettingOut,
                body={"value": value},
                idempotency_key=idempotency_key,
            )
        )

    async def unset_setting(self, name: str, *, idempotency_key: str | None = None) -> None:
        """Put a setting back to its default."""
        await self._done(
            Call("DELETE", path("/settings/{}", name), None, idempotency_key=idempotency_key)
        )

    async def list_topics(self) -> models.TopicList:
        """List the topics that readers can choose, in their order."""
        return await self._answer(Call("GET", "/topics", models.TopicList))

    async def add_topic(
        self,
        *,
        name: str,
        description: str | Unset = UNSET,
        slug: str | None | Unset = UNSET,
        access: Literal["open", "invited"] | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.TopicOut:
        """Add a topic after the others.

        `slug`: In web addresses; made of the name if left out.
        """
        return await self._answer(
            Call(
                "POST",
                "/topics",
                models.TopicOut,
                body={"name": name, "description": description, "slug": slug, "access": access},
                idempotency_key=idempotency_key,
            )
        )

    async def order_topics(
        self, *, slugs: Sequence[str], idempotency_key: str | None = None
    ) -> models.TopicList:
        """Put these topics first, in this order; the others follow as they were."""
        return await self._answer(
            Call(
                "PUT",
                "/topics",
                models.TopicList,
                body={"slugs": slugs},
                idempotency_key=idempotency_key,
            )
        )

    async def change_topic(
        self,
        slug: str,
        *,
        name: str | None | Unset = UNSET,
        description: str | None | Unset = UNSET,
        access: Literal["open", "invited", "retired"] | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.TopicOut:
        """Change a topic, retire it or bring it back. The slug stays."""
        return await self._answer(
            Call(
                "PATCH",
                path("/topics/{}", slug),
                models.TopicOut,
                body={"name": name, "description": description, "access": access},
                idempotency_key=idempotency_key,
            )
        )

    async def get_topic(self, slug: str) -> models.TopicOut:
        """Show a topic."""
        return await self._answer(Call("GET", path("/topics/{}", slug), models.TopicOut))

    async def merge_topic(
        self,
        slug: str,
        *,
        into: str,
        dry_run: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.MergeOut:
        """Retire a topic and move its readers, with their consents, to another one. No way back.

        `into`: The topic whose readers they become.
        `dry_run`: Only count.
        """
        return await self._answer(
            Call(
                "POST",
                path("/topics/{}/merge", slug),
                models.MergeOut,
                body={"into": into, "dry_run": dry_run},
                idempotency_key=idempotency_key,
            )
        )

    async def get_invitation(self, slug: str) -> models.InvitationLinkOut:
        """Show the link by which readers sign up to a topic by invitation."""
        return await self._answer(
            Call("GET", path("/topics/{}/invitation", slug), models.InvitationLinkOut)
        )

    async def renew_invitation(
        self, slug: str, *, idempotency_key: str | None = None
    ) -> models.InvitationLinkOut:
        """Make a new invitation link. The one before no longer works."""
        return await self._answer(
            Call(
                "POST",
                path("/topics/{}/invitation", slug),
                models.InvitationLinkOut,
                idempotency_key=idempotency_key,
            )
        )

    async def get_audience(self, slug: str) -> models.AudienceOut:
        """Count the readers whom an alert to this topic would reach."""
        return await self._answer(
            Call("GET", path("/topics/{}/audience", slug), models.AudienceOut)
        )

    async def find_reader(
        self, *, address: str, idempotency_key: str | None = None
    ) -> models.ReaderOut:
        """Find a reader by the exact address, with the evidence of consent.

        `address`: The exact address.
        """
        return await self._answer(
            Call(
                "POST",
                "/readers/lookup",
                models.ReaderOut,
                body={"address": address},
                idempotency_key=idempotency_key,
            )
        )

    async def get_reader(self, reader_id: UUID | str) -> models.ReaderOut:
        """Show a reader with the evidence of consent."""
        return await self._answer(Call("GET", path("/readers/{}", reader_id), models.ReaderOut))

    async def erase_reader(
        self, reader_id: UUID | str, *, idempotency_key: str | None = None
    ) -> None:
        """Erase a reader (GDPR Art. 17). Needs a key of an administrator’s role."""
        await self._done(
            Call("DELETE", path("/readers/{}", reader_id), None, idempotency_key=idempotency_key)
        )

    async def sign_up(
        self,
        *,
        address: str,
        topic: str,
        offers: bool | Unset = UNSET,
        language: Literal["en", "de", "fr", "es", "ar", "he"] | None | Unset = UNSET,
        page: str | Unset = UNSET,
        client_address: Any | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.SignUpOut:
        """Sign a person up. They get a mail with a link, and no alert before they have confirmed.

        `address`: The exact address.
        `offers`: Ticked a box of its own for offers.
        `page`: Where the form stood, for the evidence; without a query.
        `client_address`: Of the person, for the evidence.
        """
        return await self._answer(
            Call(
                "POST",
                "/readers",
                models.SignUpOut,
                body={
                    "address": address,
                    "topic": topic,
                    "offers": offers,
                    "language": language,
                    "page": page,
                    "client_address": client_address,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def withdraw_consent(
        self,
        reader_id: UUID | str,
        *,
        topic: str | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.ReaderOut:
        """Withdraw a consent at the reader’s request. It holds from the very next mail.

        `topic`: null: the consent to offers.
        """
        return await self._answer(
            Call(
                "POST",
                path("/readers/{}/withdrawal", reader_id),
                models.ReaderOut,
                body={"topic": topic},
                idempotency_key=idempotency_key,
            )
        )

    def export_readers(self, *, topic: str | None | Unset = UNSET) -> AsyncIterator[dict[str, Any]]:
        """Export all readers, oldest first, one JSON object a line. It streams."""
        return self._lines(Call("GET", "/readers/export", dict, query={"topic": topic}))

    async def find_suppression(
        self, *, address: str, idempotency_key: str | None = None
    ) -> models.SuppressionOut:
        """Tell whether and why an address is never mailed; 404 if it may be.

        `address`: The exact address.
        """
        return await self._answer(
            Call(
                "POST",
                "/suppressions/lookup",
                models.SuppressionOut,
                body={"address": address},
                idempotency_key=idempotency_key,
            )
        )

    async def suppress_address(self, *, address: str, idempotency_key: str | None = None) -> None:
        """Never mail this address again. Its reader’s consents are withdrawn.

        `address`: The exact address.
        """
        await self._done(
            Call(
                "POST",
                "/suppressions",
                None,
                body={"address": address},
                idempotency_key=idempotency_key,
            )
        )

    async def lift_suppression(self, *, address: str, idempotency_key: str | None = None) -> None:
        """Lift a mistaken suppression. A reader who complained has to sign up again.

        `address`: The exact address.
        """
        await self._done(
            Call(
                "POST",
                "/suppressions/lift",
                None,
                body={"address": address},
                idempotency_key=idempotency_key,
            )
        )

    async def list_webhooks(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.WebhookPage:
        """List webhooks, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call("GET", "/webhooks", models.WebhookPage, query={"limit": limit, "cursor": cursor})
        )

    def iter_webhooks(self, *, limit: int | Unset = UNSET) -> AsyncIterator[models.WebhookOut]:
        """List webhooks, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(Call("GET", "/webhooks", models.WebhookPage, query={"limit": limit}))

    async def add_webhook(
        self, *, url: str, events: Sequence[models.EventType], idempotency_key: str | None = None
    ) -> models.NewWebhookOut:
        """Add a webhook. The answer has the secret that signs what is sent to it. The key also
        needs a scope for what the events tell, such as `stories:read` for `story.updated`.

        `url`: An https address of the public Internet.
        """
        return await self._answer(
            Call(
                "POST",
                "/webhooks",
                models.NewWebhookOut,
                body={"url": url, "events": events},
                idempotency_key=idempotency_key,
            )
        )

    async def get_webhook(self, webhook_id: UUID | str) -> models.WebhookOut:
        """Show a webhook."""
        return await self._answer(Call("GET", path("/webhooks/{}", webhook_id), models.WebhookOut))

    async def change_webhook(
        self,
        webhook_id: UUID | str,
        *,
        url: str | None | Unset = UNSET,
        events: Sequence[models.EventType] | None | Unset = UNSET,
        active: bool | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.WebhookOut:
        """Change a webhook. To activate one tries what waits for it at once."""
        return await self._answer(
            Call(
                "PATCH",
                path("/webhooks/{}", webhook_id),
                models.WebhookOut,
                body={"url": url, "events": events, "active": active},
                idempotency_key=idempotency_key,
            )
        )

    async def remove_webhook(
        self, webhook_id: UUID | str, *, idempotency_key: str | None = None
    ) -> None:
        """Remove a webhook, and what waits for it."""
        await self._done(
            Call("DELETE", path("/webhooks/{}", webhook_id), None, idempotency_key=idempotency_key)
        )

    async def rotate_webhook_secret(
        self, webhook_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.SecretOut:
        """Give the webhook a new secret. The old one signs as well for a day."""
        return await self._answer(
            Call(
                "POST",
                path("/webhooks/{}/secret", webhook_id),
                models.SecretOut,
                idempotency_key=idempotency_key,
            )
        )

    async def test_webhook(
        self, webhook_id: UUID | str, *, idempotency_key: str | None = None
    ) -> None:
        """Send an event of the type `webhook.test` to this webhook. `GET …/deliveries` has it."""
        await self._done(
            Call(
                "POST", path("/webhooks/{}/test", webhook_id), None, idempotency_key=idempotency_key
            )
        )

    async def list_deliveries(
        self, webhook_id: UUID | str, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.DeliveryPage:
        """List what was sent to a webhook, and what waits, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call(
                "GET",
                path("/webhooks/{}/deliveries", webhook_id),
                models.DeliveryPage,
                query={"limit": limit, "cursor": cursor},
            )
        )

    def iter_deliveries(
        self, webhook_id: UUID | str, *, limit: int | Unset = UNSET
    ) -> AsyncIterator[models.DeliveryOut]:
        """List what was sent to a webhook, and what waits, newest first. It fetches page after
        page.

        `limit`: Rows in the page.
        """
        return self._items(
            Call(
                "GET",
                path("/webhooks/{}/deliveries", webhook_id),
                models.DeliveryPage,
                query={"limit": limit},
            )
        )

    async def send_webhook_again(
        self, webhook_id: UUID | str, delivery_id: int, *, idempotency_key: str | None = None
    ) -> models.DeliveryOut:
        """Send it again, under the same id."""
        return await self._answer(
            Call(
                "POST",
                path("/webhooks/{}/deliveries/{}/again", webhook_id, delivery_id),
                models.DeliveryOut,
                idempotency_key=idempotency_key,
            )
        )

    async def list_full_sources(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.FullSourcePage:
        """List sources with how they are set up, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call("GET", "/sources", models.FullSourcePage, query={"limit": limit, "cursor": cursor})
        )

    def iter_full_sources(
        self, *, limit: int | Unset = UNSET
    ) -> AsyncIterator[models.FullSourceOut]:
        """List sources with how they are set up, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(Call("GET", "/sources", models.FullSourcePage, query={"limit": limit}))

    async def add_source(
        self,
        *,
        name: str,
        kind: Literal["feed", "page", "push", "folder", "imap"],
        address: str | None | Unset = UNSET,
        password: str | None | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        language: Literal["en", "de", "fr", "es", "ar", "he"] | None | Unset = UNSET,
        agency: str | None | Unset = UNSET,
        text_from: Literal["item", "page"] | None | Unset = UNSET,
        unmatched: Literal["draft", "keep"] | None | Unset = UNSET,
        sends_alone: bool | None | Unset = UNSET,
        interval_seconds: int | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.FullSourceOut:
        """Add a source. News is taken in from it at once, as drafts.

        `address`: A web address, a folder, or imaps://user@host/folder.
        `password`: Of a mailbox or feed. It is never shown.
        `topic`: Of drafts, unless item or rule names one.
        `language`: If an item names none.
        `agency`: Whose conventions hold.
        `unmatched`: What becomes of an item that no rule is for.
        `sends_alone`: A rule may send its most urgent items without an editor.
        """
        return await self._answer(
            Call(
                "POST",
                "/sources",
                models.FullSourceOut,
                body={
                    "address": address,
                    "password": password,
                    "topic": topic,
                    "language": language,
                    "agency": agency,
                    "text_from": text_from,
                    "unmatched": unmatched,
                    "sends_alone": sends_alone,
                    "interval_seconds": interval_seconds,
                    "name": name,
                    "kind": kind,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def get_source(self, source_id: UUID | str) -> models.FullSourceOut:
        """Show a source."""
        return await self._answer(Call("GET", path("/sources/{}", source_id), models.FullSourceOut))

    async def change_source(
        self,
        source_id: UUID | str,
        *,
        address: str | None | Unset = UNSET,
        password: str | None | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        language: Literal["en", "de", "fr", "es", "ar", "he"] | None | Unset = UNSET,
        agency: str | None | Unset = UNSET,
        text_from: Literal["item", "page"] | None | Unset = UNSET,
        unmatched: Literal["draft", "keep"] | None | Unset = UNSET,
        sends_alone: bool | None | Unset = UNSET,
        interval_seconds: int | None | Unset = UNSET,
        name: str | None | Unset = UNSET,
        paused: bool | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.FullSourceOut:
        """Change a source, pause it or let it go on.

        `address`: A web address, a folder, or imaps://user@host/folder.
        `password`: Of a mailbox or feed. It is never shown.
        `topic`: Of drafts, unless item or rule names one.
        `language`: If an item names none.
        `agency`: Whose conventions hold.
        `unmatched`: What becomes of an item that no rule is for.
        `sends_alone`: A rule may send its most urgent items without an editor.
        """
        return await self._answer(
            Call(
                "PATCH",
                path("/sources/{}", source_id),
                models.FullSourceOut,
                body={
                    "address": address,
                    "password": password,
                    "topic": topic,
                    "language": language,
                    "agency": agency,
                    "text_from": text_from,
                    "unmatched": unmatched,
                    "sends_alone": sends_alone,
                    "interval_seconds": interval_seconds,
                    "name": name,
                    "paused": paused,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def remove_source(
        self, source_id: UUID | str, *, idempotency_key: str | None = None
    ) -> None:
        """Remove a source. What came of it stays."""
        await self._done(
            Call("DELETE", path("/sources/{}", source_id), None, idempotency_key=idempotency_key)
        )

    async def poll_source(
        self, source_id: UUID | str, *, idempotency_key: str | None = None
    ) -> models.FullSourceOut:
        """Have a source looked at now. Its state tells what came of it, within seconds."""
        return await self._answer(
            Call(
                "POST",
                path("/sources/{}/poll", source_id),
                models.FullSourceOut,
                idempotency_key=idempotency_key,
            )
        )

    async def list_sources(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.SourcePage:
        """List the sources that items come in from, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call("GET", "/ingest", models.SourcePage, query={"limit": limit, "cursor": cursor})
        )

    def iter_sources(self, *, limit: int | Unset = UNSET) -> AsyncIterator[models.SourceOut]:
        """List the sources that items come in from, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(Call("GET", "/ingest", models.SourcePage, query={"limit": limit}))

    async def push_items(
        self,
        source_id: UUID | str,
        content: Upload,
        *,
        content_type: str = "application/xml",
        idempotency_key: str | None = None,
    ) -> models.PushedOut:
        """Push one item, or several: ninjs, NewsML-G2, NITF, a feed, a mail, a page or a text.
        202: they are stored, each version once, and become drafts within a second. The source
        must be of the kind `push`.
        """
        return await self._answer(
            Call(
                "POST",
                path("/ingest/{}", source_id),
                models.PushedOut,
                content=content,
                content_type=content_type,
                idempotency_key=idempotency_key,
            )
        )

    async def bring_in_file(
        self,
        content: Upload,
        *,
        file_name: str | Unset = UNSET,
        headline: str | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        content_type: str = "text/plain",
        idempotency_key: str | None = None,
    ) -> models.BroughtInOut:
        """Make a draft of a text, page, mail, Word file, ninjs, NewsML-G2 or NITF of up to 2.5 MB.
        409 with `headlines`: it is not certain which line is the headline. Send it again with
        one.

        `file_name`: Its ending helps to tell what it is.
        `headline`: Empty: it is looked for in what is read.
        `topic`: Of the draft. null: the one that is named in it, or the first.
        """
        return await self._answer(
            Call(
                "POST",
                "/bring-in/file",
                models.BroughtInOut,
                query={"file_name": file_name, "headline": headline, "topic": topic},
                content=content,
                content_type=content_type,
                idempotency_key=idempotency_key,
            )
        )

    async def bring_in_page(
        self,
        *,
        address: str,
        headline: str | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.BroughtInOut:
        """Make a draft of a page on the web. Its robots.txt is respected. It may take a minute.

        `address`: A web address.
        `headline`: Empty: it is looked for in what is read.
        `topic`: Of the draft. null: the one that is named in it, or the first.
        """
        return await self._answer(
            Call(
                "POST",
                "/bring-in/page",
                models.BroughtInOut,
                body={"address": address, "headline": headline, "topic": topic},
                idempotency_key=idempotency_key,
            )
        )

    async def list_wire_items(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        source: UUID | str | None | Unset = UNSET,
        became: Literal[
            "waiting",
            "draft",
            "update",
            "sent",
            "held",
            "kept",
            "ignored",
            "older",
            "withdrawn",
            "unreadable",
        ]
        | None
        | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        most_urgency: int | None | Unset = UNSET,
        words: str | Unset = UNSET,
    ) -> models.WireItemPage:
        """List what came in from sources, and what became of it, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        `topic`: Of its draft, or of its source. Of 30 days.
        `most_urgency`: As urgent, or more. 30 days.
        `words`: All are in the headline. Of 30 days.
        """
        return await self._answer(
            Call(
                "GET",
                "/wire",
                models.WireItemPage,
                query={
                    "limit": limit,
                    "cursor": cursor,
                    "source": source,
                    "became": became,
                    "topic": topic,
                    "most_urgency": most_urgency,
                    "words": words,
                },
            )
        )

    def iter_wire_items(
        self,
        *,
        limit: int | Unset = UNSET,
        source: UUID | str | None | Unset = UNSET,
        became: Literal[
            "waiting",
            "draft",
            "update",
            "sent",
            "held",
            "kept",
            "ignored",
            "older",
            "withdrawn",
            "unreadable",
        ]
        | None
        | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        most_urgency: int | None | Unset = UNSET,
        words: str | Unset = UNSET,
    ) -> AsyncIterator[models.WireItemOut]:
        """List what came in from sources, and what became of it, newest first. It fetches page
        after page.

        `limit`: Rows in the page.
        `topic`: Of its draft, or of its source. Of 30 days.
        `most_urgency`: As urgent, or more. 30 days.
        `words`: All are in the headline. Of 30 days.
        """
        return self._items(
            Call(
                "GET",
                "/wire",
                models.WireItemPage,
                query={
                    "limit": limit,
                    "source": source,
                    "became": became,
                    "topic": topic,
                    "most_urgency": most_urgency,
                    "words": words,
                },
            )
        )

    async def get_wire_item(self, item_id: UUID | str) -> models.FullWireItemOut:
        """Show an item as it was read and as it came."""
        return await self._answer(Call("GET", path("/wire/{}", item_id), models.FullWireItemOut))

    async def decide_wire_item(
        self,
        item_id: UUID | str,
        *,
        do: Literal["draft", "update", "ignore"],
        headline: str | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.FullWireItemOut:
        """Make a draft, or the draft of an update, of the item; or ignore it. Nothing is mailed.

        `headline`: One of `headlines`; needed if it is not sure.
        """
        return await self._answer(
            Call(
                "POST",
                path("/wire/{}/decision", item_id),
                models.FullWireItemOut,
                body={"do": do, "headline": headline},
                idempotency_key=idempotency_key,
            )
        )

    async def list_rules(self) -> models.RuleList:
        """List the rules in the order in which they apply."""
        return await self._answer(Call("GET", "/rules", models.RuleList))

    async def add_rule(
        self,
        *,
        name: str,
        action: Literal["ignore", "draft", "tell", "update", "send"],
        active: bool | Unset = UNSET,
        sources: Sequence[UUID | str] | Unset = UNSET,
        topics: Sequence[str] | Unset = UNSET,
        most_urgency: int | None | Unset = UNSET,
        words: Sequence[str] | Unset = UNSET,
        without: Sequence[str] | Unset = UNSET,
        languages: Sequence[Literal["en", "de", "fr", "es", "ar", "he"]] | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        tells: Sequence[int] | Unset = UNSET,
        hold_seconds: int | Unset = UNSET,
        most_a_day: int | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.RuleOut:
        """Add a rule as the last. One that sends alone begins with drills.

        `sources`: Items of one of these; none: of all.
        `topics`: One is among the item’s, as its source names them.
        `most_urgency`: As urgent, or more.
        `words`: One is in headline or text.
        `without`: None is.
        `topic`: Of the draft; null: the item’s or source’s.
        `tells`: Ids of people who are mailed, by the action `tell`.
        `hold_seconds`: Of the action `send`.
        `most_a_day`: Alerts in 24 hours, of the action `send`.
        """
        return await self._answer(
            Call(
                "POST",
                "/rules",
                models.RuleOut,
                body={
                    "name": name,
                    "action": action,
                    "active": active,
                    "sources": sources,
                    "topics": topics,
                    "most_urgency": most_urgency,
                    "words": words,
                    "without": without,
                    "languages": languages,
                    "topic": topic,
                    "tells": tells,
                    "hold_seconds": hold_seconds,
                    "most_a_day": most_a_day,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def order_rules(
        self, *, rules: Sequence[int], idempotency_key: str | None = None
    ) -> models.RuleList:
        """Put the rules in this order.

        `rules`: Ids, of all rules.
        """
        return await self._answer(
            Call(
                "PUT",
                "/rules",
                models.RuleList,
                body={"rules": rules},
                idempotency_key=idempotency_key,
            )
        )

    async def get_rule(self, rule_id: int) -> models.RuleOut:
        """Show a rule."""
        return await self._answer(Call("GET", path("/rules/{}", rule_id), models.RuleOut))

    async def change_rule(
        self,
        rule_id: int,
        *,
        name: str,
        action: Literal["ignore", "draft", "tell", "update", "send"],
        active: bool | Unset = UNSET,
        sources: Sequence[UUID | str] | Unset = UNSET,
        topics: Sequence[str] | Unset = UNSET,
        most_urgency: int | None | Unset = UNSET,
        words: Sequence[str] | Unset = UNSET,
        without: Sequence[str] | Unset = UNSET,
        languages: Sequence[Literal["en", "de", "fr", "es", "ar", "he"]] | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        tells: Sequence[int] | Unset = UNSET,
        hold_seconds: int | Unset = UNSET,
        most_a_day: int | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.RuleOut:
        """Change a rule as a whole. One that sends alone begins with drills again.

        `sources`: Items of one of these; none: of all.
        `topics`: One is among the item’s, as its source names them.
        `most_urgency`: As urgent, or more.
        `words`: One is in headline or text.
        `without`: None is.
        `topic`: Of the draft; null: the item’s or source’s.
        `tells`: Ids of people who are mailed, by the action `tell`.
        `hold_seconds`: Of the action `send`.
        `most_a_day`: Alerts in 24 hours, of the action `send`.
        """
        return await self._answer(
            Call(
                "PUT",
                path("/rules/{}", rule_id),
                models.RuleOut,
                body={
                    "name": name,
                    "action": action,
                    "active": active,
                    "sources": sources,
                    "topics": topics,
                    "most_urgency": most_urgency,
                    "words": words,
                    "without": without,
                    "languages": languages,
                    "topic": topic,
                    "tells": tells,
                    "hold_seconds": hold_seconds,
                    "most_a_day": most_a_day,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def remove_rule(self, rule_id: int, *, idempotency_key: str | None = None) -> None:
        """Remove a rule. Items that it decided on keep what they became."""
        await self._done(
            Call("DELETE", path("/rules/{}", rule_id), None, idempotency_key=idempotency_key)
        )

    async def let_rule_send(
        self, rule_id: int, *, idempotency_key: str | None = None
    ) -> models.RuleOut:
        """Let a rule that has sent a drill send to readers. Needs an administrator’s role, and the
        scope alerts:send-alone.
        """
        return await self._answer(
            Call(
                "POST",
                path("/rules/{}/let-send", rule_id),
                models.RuleOut,
                idempotency_key=idempotency_key,
            )
        )

    async def simulate_rule(
        self,
        *,
        name: str,
        action: Literal["ignore", "draft", "tell", "update", "send"],
        active: bool | Unset = UNSET,
        sources: Sequence[UUID | str] | Unset = UNSET,
        topics: Sequence[str] | Unset = UNSET,
        most_urgency: int | None | Unset = UNSET,
        words: Sequence[str] | Unset = UNSET,
        without: Sequence[str] | Unset = UNSET,
        languages: Sequence[Literal["en", "de", "fr", "es", "ar", "he"]] | Unset = UNSET,
        topic: str | None | Unset = UNSET,
        tells: Sequence[int] | Unset = UNSET,
        hold_seconds: int | Unset = UNSET,
        most_a_day: int | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.SimulationOut:
        """Tell what a rule would have done with the items of the last 30 days, as the last rule.

        `sources`: Items of one of these; none: of all.
        `topics`: One is among the item’s, as its source names them.
        `most_urgency`: As urgent, or more.
        `words`: One is in headline or text.
        `without`: None is.
        `topic`: Of the draft; null: the item’s or source’s.
        `tells`: Ids of people who are mailed, by the action `tell`.
        `hold_seconds`: Of the action `send`.
        `most_a_day`: Alerts in 24 hours, of the action `send`.
        """
        return await self._answer(
            Call(
                "POST",
                "/rules/simulation",
                models.SimulationOut,
                body={
                    "name": name,
                    "action": action,
                    "active": active,
                    "sources": sources,
                    "topics": topics,
                    "most_urgency": most_urgency,
                    "words": words,
                    "without": without,
                    "languages": languages,
                    "topic": topic,
                    "tells": tells,
                    "hold_seconds": hold_seconds,
                    "most_a_day": most_a_day,
                },
                idempotency_key=idempotency_key,
            )
        )

    async def list_drill_readers(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.DrillReaderPage:
        """List who takes part in drills, and who was asked, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call(
                "GET",
                "/drills/readers",
                models.DrillReaderPage,
                query={"limit": limit, "cursor": cursor},
            )
        )

    def iter_drill_readers(
        self, *, limit: int | Unset = UNSET
    ) -> AsyncIterator[models.DrillReaderOut]:
        """List who takes part in drills, and who was asked, newest first. It fetches page after
        page.

        `limit`: Rows in the page.
        """
        return self._items(
            Call("GET", "/drills/readers", models.DrillReaderPage, query={"limit": limit})
        )

    async def invite_to_drills(
        self,
        *,
        address: str,
        language: Literal["en", "de", "fr", "es", "ar", "he"] | None | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> models.DrillReaderOut:
        """Invite an address to drills. It takes part once its owner accepts by the mailed link.

        `address`: The exact address.
        `language`: Of the invitation; null: the newsroom’s first.
        """
        return await self._answer(
            Call(
                "POST",
                "/drills/readers",
                models.DrillReaderOut,
                body={"address": address, "language": language},
                idempotency_key=idempotency_key,
            )
        )

    async def remove_from_drills(
        self, reader_id: UUID | str, *, idempotency_key: str | None = None
    ) -> None:
        """Remove somebody from drills: none goes there any more."""
        await self._done(
            Call(
                "DELETE",
                path("/drills/readers/{}", reader_id),
                None,
                idempotency_key=idempotency_key,
            )
        )

    async def get_came_back(self) -> models.CameBackOut:
        """Count what came back in the last seven days; show the receivers and floods of bounces."""
        return await self._answer(Call("GET", "/came-back", models.CameBackOut))

    async def decide_flood(
        self, flood_id: int, *, count: bool, idempotency_key: str | None = None
    ) -> models.FloodDecidedOut:
        """Count the bounces of a flood against their readers, or dismiss them.

        `count`: true: the bounces count. false: they are dismissed.
        """
        return await self._answer(
            Call(
                "POST",
                path("/came-back/floods/{}", flood_id),
                models.FloodDecidedOut,
                body={"count": count},
                idempotency_key=idempotency_key,
            )
        )

    async def list_came_back(
        self,
        *,
        limit: int | Unset = UNSET,
        cursor: str | Unset = UNSET,
        corrected: bool | Unset = UNSET,
        kind: Literal[
            "bounce",
            "delayed",
            "delivered",
            "complaint",
            "automatic",
            "challenge",
            "leave",
            "reply",
            "other",
        ]
        | None
        | Unset = UNSET,
    ) -> models.JudgedPage:
        """List mails that came back and how they were judged, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        `corrected`: Only those that were judged wrongly.
        """
        return await self._answer(
            Call(
                "GET",
                "/came-back/mails",
                models.JudgedPage,
                query={"limit": limit, "cursor": cursor, "corrected": corrected, "kind": kind},
            )
        )

    def iter_came_back(
        self,
        *,
        limit: int | Unset = UNSET,
        corrected: bool | Unset = UNSET,
        kind: Literal[
            "bounce",
            "delayed",
            "delivered",
            "complaint",
            "automatic",
            "challenge",
            "leave",
            "reply",
            "other",
        ]
        | None
        | Unset = UNSET,
    ) -> AsyncIterator[models.JudgedOut]:
        """List mails that came back and how they were judged, newest first. It fetches page after
        page.

        `limit`: Rows in the page.
        `corrected`: Only those that were judged wrongly.
        """
        return self._items(
            Call(
                "GET",
                "/came-back/mails",
                models.JudgedPage,
                query={"limit": limit, "corrected": corrected, "kind": kind},
            )
        )

    async def correct_judgement(
        self,
        mail_id: int,
        *,
        really: Literal[
            "bounce hard",
            "bounce full",
            "bounce soft",
            "bounce spam",
            "bounce policy",
            "bounce unknown",
            "delayed",
            "delivered",
            "complaint",
            "automatic",
            "challenge",
            "leave",
            "reply",
            "other",
        ],
        idempotency_key: str | None = None,
    ) -> models.JudgedOut:
        """Note what a mail really is. It counts against nobody any more."""
        return await self._answer(
            Call(
                "POST",
                path("/came-back/mails/{}/correction", mail_id),
                models.JudgedOut,
                body={"really": really},
                idempotency_key=idempotency_key,
            )
        )

    async def export_came_back(self, mail_id: int) -> models.ExportedOut:
        """Show a mail that came back, without addresses: to tell what was judged wrongly."""
        return await self._answer(
            Call("GET", path("/came-back/mails/{}/export", mail_id), models.ExportedOut)
        )

    async def list_replies(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.ReplyPage:
        """List replies that nobody has dealt with, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call("GET", "/replies", models.ReplyPage, query={"limit": limit, "cursor": cursor})
        )

    def iter_replies(self, *, limit: int | Unset = UNSET) -> AsyncIterator[models.ReplyOut]:
        """List replies that nobody has dealt with, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(Call("GET", "/replies", models.ReplyPage, query={"limit": limit}))

    async def finish_reply(
        self,
        reply_id: int,
        *,
        unsubscribe: bool | Unset = UNSET,
        idempotency_key: str | None = None,
    ) -> None:
        """Put a reply away, and unsubscribe its reader if so asked.

        `unsubscribe`: Unsubscribe its reader from everything.
        """
        await self._done(
            Call(
                "POST",
                path("/replies/{}/done", reply_id),
                None,
                body={"unsubscribe": unsubscribe},
                idempotency_key=idempotency_key,
            )
        )

    async def list_sites(self) -> models.SiteList:
        """List the sites whose pages may show the sign-up box."""
        return await self._answer(Call("GET", "/sites", models.SiteList))

    async def add_site(self, *, address: str, idempotency_key: str | None = None) -> models.SiteOut:
        """Let the pages of a site show the sign-up box. One that may already stays so.

        `address`: Of any of its pages.
        """
        return await self._answer(
            Call(
                "POST",
                "/sites",
                models.SiteOut,
                body={"address": address},
                idempotency_key=idempotency_key,
            )
        )

    async def remove_site(self, *, address: str, idempotency_key: str | None = None) -> None:
        """Stop the pages of a site from showing the sign-up box.

        `address`: Of any of its pages.
        """
        await self._done(
            Call(
                "POST",
                "/sites/remove",
                None,
                body={"address": address},
                idempotency_key=idempotency_key,
            )
        )

    async def list_processes(self) -> models.ProcessList:
        """List the processes of all machines."""
        return await self._answer(Call("GET", "/machines", models.ProcessList))

    async def forget_process(self, *, name: str, idempotency_key: str | None = None) -> None:
        """Take a silent process off the list, and release what it held."""
        await self._done(
            Call(
                "POST",
                "/machines/forget",
                None,
                body={"name": name},
                idempotency_key=idempotency_key,
            )
        )

    async def go_on_after_restore(self, *, idempotency_key: str | None = None) -> None:
        """Send again after the database was restored. Alerts on their way then wait for an answer."""
        await self._done(Call("POST", "/machines/go-on", None, idempotency_key=idempotency_key))

    async def get_key(self) -> models.KeyOut:
        """Show what the key of this request may be used for. It needs no scope."""
        return await self._answer(Call("GET", "/key", models.KeyOut))

    async def list_log(
        self, *, limit: int | Unset = UNSET, cursor: str | Unset = UNSET
    ) -> models.EntryPage:
        """List who did what, newest first.

        `limit`: Rows in the page.
        `cursor`: From `next_cursor` of the page before; empty: the first.
        """
        return await self._answer(
            Call("GET", "/log", models.EntryPage, query={"limit": limit, "cursor": cursor})
        )

    def iter_log(self, *, limit: int | Unset = UNSET) -> AsyncIterator[models.EntryOut]:
        """List who did what, newest first. It fetches page after page.

        `limit`: Rows in the page.
        """
        return self._items(Call("GET", "/log", models.EntryPage, query={"limit": limit}))

    async def pause_relay(self, *, relay: str, idempotency_key: str | None = None) -> None:
        """Give a relay no more mail until it is resumed. Other relays go on.

        `relay`: Its name.
        """
        await self._done(
            Call(
                "POST",
                "/relays/pause",
                None,
                body={"relay": relay},
                idempotency_key=idempotency_key,
            )
        )

    async def resume_relay(self, *, relay: str, idempotency_key: str | None = None) -> None:
        """Let a relay go on. What it deferred is tried at once.

        `relay`: Its name.
        """
        await self._done(
            Call(
                "POST",
                "/relays/resume",
                None,
                body={"relay": relay},
                idempotency_key=idempotency_key,
            )
        )

    async def get_health(self) -> models.HealthOut:
        """Tell that the service answers. It needs no key, and says nothing more."""
        return await self._answer(Call("GET", "/health", models.HealthOut))

    async def get_sending_health(self) -> models.SendersOut:
        """Show how many senders are at work, and the state of each relay."""
        return await self._answer(Call("GET", "/health/sending", models.SendersOut))
