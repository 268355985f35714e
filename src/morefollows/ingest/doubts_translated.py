"""Doubts and refusals about what was read, in the language of the editor who looks.

`reading` says them in English, and so they are stored: an item may be read by a process that knows
no editor. Here each sentence that it can say is known again, with what was put into it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

#: Every sentence of `reading`, `sources` and `story_file` that is a doubt.
SENTENCES = (
    _("The file has no headline of its own: it was taken from the first sentence."),
    _("It has no headline: it was taken from the text."),
    _("It has no text of its own: see whether its description is enough."),
    _("Left out above the story: “%(text)s”"),
    _("Is this part of the story? “%(text)s”"),
    _("Is this a picture's caption? “%(text)s”"),
    _("Does the story go on below “%(text)s”?"),
    _("All below “%(text)s” was taken for notes to editors."),
    _("An editor's note was taken from the text: is it for readers?"),
    _("It is told in entries, as a live blog is: see whether they make one story."),
    _("The page is a live blog: its newest posts are taken. See what belongs to the story."),
    _("The page is behind a paywall: the text may be only its beginning."),
    _("The page lists several articles: see whether this is the right one."),
    _("Only the feed’s text: the page can’t be had (%(why)s)."),
    _("The file has %(number)s items: this is the first."),
    _("The encoding was guessed (%(name)s): look at names with accents."),
    _("An attachment was not read: %(name)s"),
    _("It has tracked changes: what was deleted may still be in the text."),
    _("Its footnotes were left out: see the notes."),
    _("Its front matter says that it is a draft."),
    _("Shortcodes were left out: see whether a picture or a quote is missing."),
    _("It calls itself a correction, but does not say what was wrong."),
    _("It tells editors not to use a story: look which one is meant."),
    _("%(name)s kills an item by this: look which one is meant."),
    _("It is an advisory of %(name)s, for editors only."),
    _("It is a %(kind)s, not a text."),
    _("It is under an embargo whose end can't be read for certain: see notes."),
    _("It is under an embargo without a known end."),
    _("%(name)s “%(text)s” is no time that can be read."),
    _("%(name)s has no time zone: it was taken as UTC."),
    _("Urgency %(number)s is not one of 1 to 9."),
    _("Its status “%(text)s” is not known: it is withheld."),
    _("Its version “%(text)s” is not a number."),
    _("Its inlineData is not base64."),
    _("its source says that it must not be used"),
    _("it is under an embargo until %(time)s UTC"),
    _("its source withholds it, or its embargo has no end that can be read"),
)
#: Why a file or a page is not read. What libraries say of it stays in English.
REFUSALS = (
    _("is empty; write the story below its headline"),
    _("is empty; write the headline on the first line, the text below"),
    _("is empty: the mail has no text"),
    _("is missing; put one on a line of its own above the text"),
    _("is missing: nothing but a page's boilerplate was found in the file"),
    _("has %(number)s characters; shorten it to %(most)s"),
    _("has %(number)s characters; %(most)s are the most: an alert is a short text"),
    _("has more than %(most)s characters; give the story alone"),
    _("is larger than %(size)s; give the story alone"),
    _("has no article: no text is left without the page's boilerplate"),
    _("is %(kind)s, not plain text; save the story as text, .docx or .html"),
    _("is not plain text; save the story as text in UTF-8"),
    _("is not UTF-8: byte %(number)s can't be read; save it as UTF-8"),
    _("is a packed file that is neither .docx nor .odt"),
    _("is damaged: it can't be unpacked"),
    _("is encrypted; save it without a password"),
    _("is no text document; save it as .odt or .docx"),
    _("has characters that can't be read; save it as .docx"),
    _("is a feed; add it as a source, and its entries come in"),
    _("is not ninjs: it has neither uri nor headlines nor bodies"),
    _("is no web address"),
    _("has more than %(number)s elements inside one another"),
    _("has more than %(number)s values inside one another"),
    _("has more than %(number)s parts inside one another"),
    _("has more than %(number)s groups inside one another"),
    _("has more than %(number)s groups of parts"),
    _("has more than %(number)s elements"),
    _("has more than %(number)s parts"),
    _("has more than %(number)s items"),
    _("has more than %(most)s characters"),
    _("has too many elements inside one another"),
    _("has too many values inside one another"),
    _("has too many parts inside one another"),
    _("is nested more than %(number)s deep"),
    _("is longer than 6 million characters; save the article alone"),
    _("is larger than %(size)s MB"),
    _("unpacks to more than %(size)s MB"),
    _("is empty"),
    _("is damaged: %(name)s can't be unpacked"),
    _("declares entities, which are not read; write the text itself"),
    _("has half a character (a surrogate); save it as UTF-8"),
    _("has the control character U+%(code)s in line %(number)s; remove it"),
    _("is not %(name)s: byte %(number)s can't be read"),
    _("is not well-formed: %(what)s"),
    _("is not valid: %(what)s"),
    _("is no .docx that can be read (%(what)s)"),
    _("is no .odt: it has no content.xml"),
    _("is no RTF that can be read (%(what)s)"),
    _("begins with <%(name)s>, which is neither NewsML-G2 nor NITF"),
    _("has no newsItem: it is a %(name)s, which is no news"),
    _("does not end; close it with a line of %(what)s"),
    _("has a YAML alias (*); write the value itself"),
    _("must have a name, a colon and a value on each line"),
    _("line %(number)s must be a name, a colon and a value"),
    _("%(name)s is given twice; keep one"),
    _("%(name)s is not known; write headline"),
    _("is not TOML: %(what)s"),
    _("is not JSON: %(what)s"),
    _("is missing; write it behind “headline:”"),
    _("must look like en or de"),
    _("must look like breaking"),
    _("is neither RSS nor Atom nor JSON Feed"),
    _("is JSON, but no JSON Feed: it has no list “items”"),
    _("is broken JSON: %(what)s"),
    _("is a web page. Its feed is at %(what)s"),
    _("can't be parsed: %(what)s"),
    _("can't be read: %(what)s"),
    _("can't be fetched: %(why)s"),
    # Why something can't be fetched.
    _("its server answers %(status)s"),
    _("its robots.txt keeps programs from this page; copy its text instead"),
    _("its robots.txt can't be read just now"),
    _("its robots.txt forbids it"),
    _("no answer within %(seconds)s s"),
    _("the connection was refused"),
    _("its certificate is not valid: %(what)s"),
    _("it redirects more than %(number)s times"),
    _("it leads to what is no web address"),
    _("%(host)s can't be resolved"),
    _("%(host)s has no address"),
    _("%(host)s leads to an address that is not public; MOREFOLLOWS_SOURCES_INSIDE allows it"),
    _("its answer is not HTTP"),
    _("its answer was cut off"),
    _("its answer can't be unpacked"),
    _("its answer is packed by %(what)s, which was not asked for"),
    _("its headers are too long"),
    _("it is larger than %(size)s MB"),
)
_SLOT = re.compile(r"%\((\w+)\)s")


def shown_doubt(text: str) -> str:
    """A doubt or refusal in the active language; what is not known stays as it is."""
    for sentence, pattern in _patterns():
        if found := pattern.fullmatch(text):
            values = found.groupdict()
            if "why" in values:
                values["why"] = shown_doubt(values["why"])
            return gettext(sentence) % values if values else gettext(sentence)
    return text


def is_known_doubt(text: str) -> bool:
    """Whether it is one of `SENTENCES`."""
    return any(pattern.fullmatch(text) for one, pattern in _patterns() if one in SENTENCES)


@lru_cache(1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(one, re.compile(_pattern(one), re.DOTALL)) for one in (*SENTENCES, *REFUSALS)]


def _pattern(sentence: str) -> str:
    pieces = _SLOT.split(sentence)  # text, name, text, name, text …
    return "".join(
        f"(?P<{one}>.{{0,600}})" if number % 2 else re.escape(one)
        for number, one in enumerate(pieces)
    )
