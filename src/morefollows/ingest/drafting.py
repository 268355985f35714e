"""Creates the draft of a story that was read from a file."""

from __future__ import annotations

import uuid

from morefollows.accounts.models import Editor
from morefollows.audience.models import Newsroom, Topic
from morefollows.ingest.story_file import StoryFile
from morefollows.stories.drafts import actions
from morefollows.stories.models import Story


def save_draft(read: StoryFile, editor: Editor, topic: Topic) -> Story:
    """Saves a new story's draft. Raises as `stories.drafts.actions.save_story`."""
    return actions.save_story(
        uuid.uuid4(),
        editor,
        revision=0,
        headline=read.headline,
        standfirst=read.standfirst,
        text=read.text,
        topic=topic,
        language=read.language or Newsroom.objects.get(pk=1).language,
    )
