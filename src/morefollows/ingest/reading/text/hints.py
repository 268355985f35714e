"""What is known of a text's head beside the text itself."""

from __future__ import annotations

from dataclasses import dataclass, field

NO_HEADLINE = "The file has no headline of its own: it was taken from the first sentence."


@dataclass
class Hints:
    """What is known beside the text: from a page's markup, a mail's headers, front matter."""

    headline: str = ""
    sure: float = 0.0  #: of the headline
    titles: tuple[str, ...] = ()  #: other headlines that are offered
    standfirst: str = ""
    byline: str = ""
    markdown: bool = False  #: line feeds and headings are as they are meant
    given: bool = False  #: the text is a writer's own: nothing above it is looked for
    doubts: list[str] = field(default_factory=list)
