"""Ben has a story in a file: one that he wrote, or a page that a scraper left."""

from __future__ import annotations

import contextlib
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from morefollows.ingest import story_file
from morefollows.ingest.story_file import StoryFileError, parse_story, read_story

PAGES = Path(__file__).parent / "pages"
REAL_PAGE = Path(__file__).parents[3] / "shared" / "input" / "article.txt"


def refused(raw: bytes) -> StoryFileError:
    with pytest.raises(StoryFileError) as caught:
        parse_story(raw)
    return caught.value


# A story that Ben wrote


def test_the_headline_is_the_first_line_and_the_text_stands_below() -> None:
    story = parse_story(b"Harbour bridge closed\n\nA ferry struck it.\n\nNobody is hurt.\n")
    assert story.headline == "Harbour bridge closed"
    assert story.text == "A ferry struck it.\n\nNobody is hurt."
    assert (story.standfirst, story.language, story.topic) == ("", None, None)
    assert (story.dropped, story.notes) == ((), ())


def test_front_matter_gives_all_that_a_story_has() -> None:
    story = parse_story(
        b'---\nheadline: "Harbour bridge: closed"\nStandfirst: Nobody is hurt.\nlanguage: en\n'
        b"topic: breaking\n---\n"
        b"A ferry struck it.\n"
    )
    assert story.headline == "Harbour bridge: closed"
    assert story.standfirst == "Nobody is hurt."
    assert (story.language, story.topic, story.text) == ("en", "breaking", "A ferry struck it.")


def test_front_matter_without_a_headline_leaves_it_on_the_first_line() -> None:
    story = parse_story(
        "---\nlanguage: de\n---\n\n# Hafenbrücke gesperrt #\nEine Fähre hat sie gerammt.".encode()
    )
    assert (story.headline, story.text) == ("Hafenbrücke gesperrt", "Eine Fähre hat sie gerammt.")


@pytest.mark.parametrize(
    ("first_line", "headline"),
    [
        ("**Bridge closed**", "Bridge closed"),
        ("Is the bridge safe?", "Is the bridge safe?"),
        ("Bridge\tclosed\u200b  today", "Bridge closed today"),
        ("BREAKING: bridge closed …", "bridge closed …"),
        ("\ufeffBridge closed", "Bridge closed"),
        ("Bru\u0308cke gesperrt", "Brücke gesperrt"),
    ],
)
def test_a_headline_is_one_clean_line(first_line: str, headline: str) -> None:
    assert parse_story(f"{first_line}\n\nText.".encode()).headline == headline


def test_line_ends_of_any_kind_are_line_ends() -> None:
    assert (
        parse_story(b"Bridge closed\r\n\r\nOne.\r\rTwo.\xe2\x80\xa8Three.").text
        == "One.\n\nTwo.\nThree."
    )


def test_markdown_stays_as_it_was_written() -> None:
    text = "- one\n- two\n\n> “Nobody is hurt”\n\n[The notice](https://port.example/notice)"
    assert parse_story(f"Bridge closed\n\n{text}\n".encode()).text == text


# A page as a scraper left it


def test_a_scraped_page_is_cleared_of_its_boilerplate_and_tells_what_went() -> None:
    story = read_story(PAGES / "scraped.txt")
    assert story.headline == (
        "The harbour bridge at Norwick has been closed in both directions by the port authority"
    )
    assert story.text.startswith(
        "The harbour bridge at Norwick has been closed in both directions by the port"
    )
    assert story.text.endswith(
        '"reasonable grounds to believe that the pier\'s fenders were worn", two years ago.'
    )
    assert "“Nobody is hurt. [The ferry]" in story.text
    assert len(story.text.split("\n\n")) == 4
    went = ["date 2026-03-14", "For free real t", "More follows on"]
    assert [piece[:15] for piece in story.dropped] == went
    assert story.notes == (
        "The file has no headline of its own: it was taken from the first sentence.",
    )


def test_a_german_page_too() -> None:
    story = read_story(PAGES / "scraped-de.txt")
    assert story.headline == "Hafenbrücke in Nordwik gesperrt"
    assert story.text == (
        "Die Hafenbrücke ist seit 14:05 Uhr gesperrt, nachdem eine Fähre den zweiten Pfeiler "
        "gerammt hat.\n\n"
        "„Niemand ist verletzt“, sagte die Hafenbehörde. Die Bürgerinnen und Bürger sollen die "
        "Anmeldung der "
        "Fähren abwarten."
    )
    assert len(story.dropped) >= 6
    assert story.notes == ()


@pytest.mark.skipif(not REAL_PAGE.exists(), reason="the real page does not come with the project")
def test_the_real_page() -> None:
    story = read_story(REAL_PAGE)
    assert 40 < len(story.headline) <= 150
    assert story.text.startswith(f"{story.headline}, which ")
    assert len(story.text.split("\n\n")) == 8
    assert not any(
        word in story.text for word in ("SIGN UP", "privacy notice", "More follows", "2023-03-17")
    )
    starts = ("date 2023-03-17", "For free real time", "More follows on this")
    assert len(story.dropped) == len(starts)
    assert all(line.startswith(start) for line, start in zip(story.dropped, starts, strict=True))


@pytest.mark.parametrize(
    "boilerplate",
    [
        "SIGN UP",
        "[ ] I would like to be emailed about offers, events and updates. Read our privacy notice.",
        "Please enter a valid email address",
        "Published: Saturday 14 March 2026 14:05 GMT",
        "Veröffentlicht am 14. März 2026 um 14:05 Uhr",
        "March 14, 2026",
        "We use cookies to make this page better. Accept all cookies",
        "Share this article",
        "Share",
        "Related: How the bridge was built",
        "Advertisement",
        "Privacy policy | Manage cookies",
        "More to follow.",
        "This is a breaking news story and will be updated",
        "Mehr in Kürze",
    ],
)
def test_boilerplate_goes(boilerplate: str) -> None:
    story = parse_story(
        f"Bridge closed\n\nA ferry struck it.\n\n{boilerplate}\n\nNobody is hurt.".encode()
    )
    assert story.text == "A ferry struck it.\n\nNobody is hurt."
    assert len(story.dropped) == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "Readers may sign up to our breaking news emails at the town hall, the mayor said.",
        "On 14 March 2026 the bridge was opened again.",
        "14 March 2026 was the day on which the bridge fell.",
        "The firm's privacy policy was changed last week.",
        "“More follows,” the minister said as she left the room.",
        "Share prices fell by a tenth.",
        "Teilen der Stadt fehlt der Strom.",
        "Cookies were served at the ceremony.",
        "Anmelden müssen sich alle Halter bis Mai.",
    ],
)
def test_a_sentence_that_only_sounds_like_boilerplate_stays(sentence: str) -> None:
    story = parse_story(f"Bridge closed\n\n{sentence}\n\nNobody is hurt.".encode())
    assert story.text == f"{sentence}\n\nNobody is hurt."
    assert story.dropped == ()


def test_a_story_that_a_sign_up_box_runs_into_keeps_its_first_word() -> None:
    story = parse_story(
        b"Sign up to our free breaking news emails Please enter a valid email address SIGN UP "
        b"Thanks for signing up to the breaking news emails The bridge is closed.\n\n"
        b"Nobody is hurt."
    )
    assert story.text == "The bridge is closed.\n\nNobody is hurt."
    assert story.headline == "The bridge is closed"


def test_more_follows_goes_from_the_end_of_a_paragraph() -> None:
    story = parse_story(
        b"Bridge closed\n\nNobody is hurt. More follows on this breaking news story..."
    )
    assert (story.text, story.dropped) == (
        "Nobody is hurt.",
        ("More follows on this breaking news story...",),
    )


# A headline that has to be found


@pytest.mark.parametrize(
    ("paragraph", "headline"),
    [
        ("The bridge is closed. Nobody is hurt.", "The bridge is closed"),
        ("Dr. A. Marsh of the U.N. said no. Nobody is hurt.", "Dr. A. Marsh of the U.N. said no"),
        ("“Nobody is hurt.” The mayor said so.", "“Nobody is hurt.”"),
    ],
)
def test_the_first_sentence_serves_as_headline(paragraph: str, headline: str) -> None:
    story = parse_story(f"{paragraph}\n\nMore.".encode())
    assert story.headline == headline
    assert story.text.startswith(paragraph)
    assert len(story.notes) == 1


def test_a_long_sentence_without_a_clause_to_cut_at_asks_for_a_headline() -> None:
    error = refused(("word " * 60).encode() + b"\n\nText.")
    assert error.field == "headline"
    assert "on a line of its own" in error.remedy


# Files that can't become a story


@pytest.mark.parametrize(
    ("raw", "field", "remedy"),
    [
        (b"", "file", "is empty"),
        (b" \n\t\n", "file", "is empty"),
        (b"\xef\xbb\xbf", "file", "is empty"),
        (b"Bridge closed\n", "text", "write the story below its headline"),
        (b"Bridge closed\n\n--\n", "text", "is empty"),
        (b"---\nheadline:\n---\nText", "headline", "is missing"),
        (b"***\n\nText", "text", "is empty"),
        (b"SIGN UP\n\nMore follows.", "headline", "nothing but a page's boilerplate"),
        (b"---\nheadline: A\n", "front matter", "close it"),
        (b"---\nheadlin: A\n---\nB", "front matter", "write headline"),
        (b"---\nheadline: A\nheadline: B\n---\nC", "front matter", "given twice"),
        (b"---\nheadline: A\nlanguage: English!\n---\nC", "language", "en or de"),
        (b"---\nheadline: A\ntopic: ../x\n---\nC", "topic", "must look like breaking"),
        (
            b"---\nheadline: " + b"A" * 151 + b"\n---\nC",
            "headline",
            "has 151 characters; shorten it to 150",
        ),
        (
            b"---\nheadline: A\nstandfirst: " + b"A" * 301 + b"\n---\nC",
            "standfirst",
            "shorten it to 300",
        ),
        (b"A" * 1_000_001, "file", "larger than 1 MB"),
        (b"Bridge closed\n\n" + b"A" * 50_001, "text", "50,001 characters; 50,000 are the most"),
        (b"Bridge\0closed\n\nText", "file", "not plain text"),
        (b"%PDF-1.7 and so on", "file", "not plain text"),
        (b"Bridge closed\n\nFurther \xff", "file", "byte 24 can't be read"),
        (b"Bridge \xed\xa0\x80closed\n\nText", "file", "byte 8 can't be read"),
        (b"Bridge closed\n\nText\x1b[31m", "file", "U+001B in line 3"),
        (b"Bridge\x08closed\n\nText", "file", "U+0008 in line 1"),
        (b"<!DOCTYPE html>\n<nav>Menu</nav>", "headline", "nothing but a page's boilerplate"),
        (b"Br\xfccke \xd7\x81\xfe\xfe gesperrt\n\nText", "file", "byte 3"),
    ],
)
def test_the_error_names_the_field_and_the_remedy(raw: bytes, field: str, remedy: str) -> None:
    error = refused(raw)
    assert error.field == field
    assert remedy in str(error)
    assert str(error).startswith(f"{field}: ")


def test_a_file_of_ten_megabytes_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "story.md"
    path.write_bytes(b"Bridge closed\n\n" + b"word " * 2_000_000)
    with pytest.raises(StoryFileError, match="larger than 10 MB"):
        read_story(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoryFileError, match=r"^file: can't be read: No such file"):
        read_story(tmp_path / "none.md")
    with pytest.raises(StoryFileError, match=r"^file: can't be read: Is a directory"):
        read_story(tmp_path)


def test_the_limits_are_those_of_a_story() -> None:
    from morefollows.stories.models import Story

    limits = {
        name: Story._meta.get_field(name).max_length for name in ("headline", "standfirst", "text")
    }
    assert limits == {
        "headline": story_file.LONGEST_HEADLINE,
        "standfirst": story_file.LONGEST_STANDFIRST,
        "text": story_file.LONGEST_TEXT,
    }


# Whatever the file


PIECES = st.sampled_from(
    [
        "---",
        "headline: ",
        "\n",
        "\n\n",
        "# ",
        "SIGN UP",
        "More follows.",
        ", which ",
        ". ",
        "\r",
        "\u2028",
        "\x00",
    ]
)


@given(
    st.one_of(
        st.binary(),
        st.lists(st.one_of(PIECES, st.text()), max_size=20)
        .map("".join)
        .map(lambda text: text.encode("utf-8", "surrogatepass")),
    )
)
@example(b"---")
@example("A\u0085B".encode())
def test_nothing_but_a_story_or_a_clear_error_comes_of_any_file(raw: bytes) -> None:
    try:
        story = parse_story(raw)
    except StoryFileError as error:
        assert error.field and error.remedy
        return
    assert 0 < len(story.headline) <= story_file.LONGEST_HEADLINE
    assert len(story.standfirst) <= story_file.LONGEST_STANDFIRST
    assert not any(
        unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs")
        for c in story.headline + story.standfirst
    )
    assert not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in story.text)
    assert all(len(piece) <= 80 for piece in story.dropped)


@pytest.mark.parametrize(
    "piece",
    [
        "sign up to our ",
        " ",
        "\n ",
        "a.  ",
        "14 March ",
        "we use cookies ",
        "für kostenlose eilmeldungen ",
        "[ ] ",
        "![](",
        ", ",
    ],
)
def test_a_megabyte_of_anything_is_read_in_seconds(piece: str) -> None:
    raw = ("Bridge closed\n\nText " + piece * (story_file.MOST_BYTES // len(piece.encode())))[
        :990_000
    ].encode()
    begun = time.process_time()
    with contextlib.suppress(StoryFileError):
        parse_story(raw[:990_000])
    assert time.process_time() - begun < 5


def test_images_from_elsewhere_go_and_are_named() -> None:
    ours = "![Fog](/images/0123456789abcdef0123456789abcdef-1200x800.jpg)"
    elsewhere = "![The bridge](https://x.example/a.jpg 'x')"
    got = parse_story(
        f"Bridge closed\n\n{elsewhere}\n\nFog ![](//x.example/b.png) all day.\n\n{ours}".encode()
    )
    assert got.text == f"Fog  all day.\n\n{ours}"
    assert got.dropped == ("image: The bridge", "image: //x.example/b.png")
