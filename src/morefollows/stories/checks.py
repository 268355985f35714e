"""Validation of a story's content, for the desk's forms, the command line and imported files.

Each check raises `ValidationError` with a text for editors. `plain_text` checks the characters.
"""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from morefollows.helpers import plain_text
from morefollows.stories import markdown
from morefollows.stories.images.address import Picture
from morefollows.stories.models import Image

# In characters. The API's schemas publish them.
HEADLINE_LIMIT = 150
STANDFIRST_LIMIT = 300
TEXT_LIMIT = 50_000
NOTE_LIMIT = 300
ALT_LIMIT = 250
CAPTION_LIMIT = 300
CREDIT_LIMIT = 100
IMAGES_LIMIT = 30


def length(value: str, limit: int) -> None:
    """Raises if `value` has more than `limit` characters."""
    # Characters as Python and the databases count them: code points, not bytes.
    if (beyond := len(value) - limit) > 0:
        raise ValidationError(
            ngettext(
                "This is %(beyond)d character too long; %(limit)d are possible.",
                "This is %(beyond)d characters too long; %(limit)d are possible.",
                beyond,
            ),
            code="length",
            params={"beyond": beyond, "limit": limit},
        )


def headline(value: str) -> None:
    """Required, on one line."""
    if not value.strip():
        raise ValidationError(_("A story needs a headline."), code="required")
    plain_text.one_line(value)
    length(value, HEADLINE_LIMIT)


def standfirst(value: str) -> None:
    """Optional, on one line."""
    plain_text.one_line(value)
    length(value, STANDFIRST_LIMIT)


def story_text(value: str) -> None:
    """Markdown, with valid images. Empty if the headline is all there is."""
    # First: the checks below parse the whole text.
    length(value, TEXT_LIMIT)
    plain_text.many_lines(value)
    images(value)


def byline(value: str) -> None:
    """A byline or a dateline. Optional, on one line."""
    plain_text.one_line(value)
    length(value, CREDIT_LIMIT)


def alt(value: str) -> None:
    """An image's alternative text."""
    if not value.strip():
        raise ValidationError(
            _("Say what is to be seen: who can’t see the image has nothing else."),
            code="required",
        )
    plain_text.one_line(value)
    length(value, ALT_LIMIT)


def caption(value: str) -> None:
    """An image's caption. Optional."""
    _beside_an_image(value, CAPTION_LIMIT)


def credit(value: str) -> None:
    """An image's credit. Optional."""
    _beside_an_image(value, CREDIT_LIMIT)


def _beside_an_image(value: str, limit: int) -> None:
    plain_text.one_line(value)
    length(value, limit)
    if "|" in value:  # separates caption and credit in the text
        raise ValidationError(_("This must not contain “|”."), code="bar")


def images(value: str) -> None:
    """Images must be stored ones, with alternative text, each in a paragraph without other text."""
    written = markdown.written_images(value)
    if len(written) > IMAGES_LIMIT:
        raise ValidationError(
            _("There are more than %(most)d images in it."),
            code="images",
            params={"most": IMAGES_LIMIT},
        )
    for one in written:
        if one.shown is None:
            raise ValidationError(
                _(
                    "Only images that were added here are shown: "
                    "an image elsewhere would tell who looks at it. Take "
                    "“%(source)s” out, and add the image with “Add an image”."
                ),
                code="remote",
                params={"source": one.source[:80]},
            )
        if not one.alt:
            raise ValidationError(
                _(
                    "An image has no alternative text. "
                    "Say between its square brackets what is to be seen on it."
                ),
                code="alt",
            )
        length(one.alt, ALT_LIMIT)
        if not one.alone:
            raise ValidationError(
                _(
                    "The image “%(alt)s” stands amid words. "
                    "Put a blank line before it and after it."
                ),
                code="alone",
                params={"alt": one.alt},
            )
    _are_kept([one.shown.picture for one in written if one.shown])


def _are_kept(pictures: list[Picture]) -> None:
    """Raises unless each picture is stored with exactly this size: pages are laid out by it."""
    if not pictures:
        return
    named = Image.objects.filter(name__in={one.name for one in pictures})
    kept = {Picture(*row) for row in named.values_list("name", "width", "height", "extension")}
    for one in pictures:
        if one not in kept:
            raise ValidationError(
                _("The image “%(file)s” is not kept here. Add it again."),
                code="unknown",
                params={"file": one.file},
            )


def note(value: str) -> None:
    """A correction's explanation, or the reason for a withdrawal or for skipping approval."""
    plain_text.one_line(value)
    length(value, NOTE_LIMIT)


def update(
    kind: str,
    headline_: str,
    standfirst_: str,
    text_: str,
    note_: str,
    credits: tuple[str, str] = ("", ""),
) -> None:
    """All texts of an update. Raises one `ValidationError` with the errors by field."""
    errors: dict[str, ValidationError] = {}
    wording = dict(zip(("byline", "place"), credits, strict=True))
    wording |= {"headline": headline_, "standfirst": standfirst_, "text": text_, "note": note_}
    for name, check in (
        ("headline", headline),
        ("standfirst", standfirst),
        ("text", story_text),
        ("note", note),
        ("byline", byline),
        ("place", byline),
    ):
        try:
            check(wording[name])
        except ValidationError as error:
            errors[name] = error
    if not note_.strip() and kind == "correction":
        errors["note"] = ValidationError(_("Say what was wrong. Readers see it."), code="required")
    if not text_.strip() and kind == "withdrawal":
        errors["text"] = ValidationError(_("A retraction needs a text."), code="required")
    if not note_.strip() and kind == "withdrawal":
        errors["note"] = ValidationError(
            _("Say why the story is retracted. Readers see it."), code="required"
        )
    if errors:
        raise ValidationError(errors)
