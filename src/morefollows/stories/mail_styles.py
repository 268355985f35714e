"""Inline styles of a story's text in mail, by element."""

from __future__ import annotations

#: Inline styles for mail, because many mail programs drop stylesheets. Colours are inherited, for
#: dark mode. Padding is the same on both sides, for right-to-left text.
STYLES = {
    "p": "margin:0 0 1.1em",
    "h2": "margin:1.6em 0 .5em;font-size:1.25em;line-height:1.25;font-weight:bold",
    "h3": "margin:1.6em 0 .5em;font-size:1.05em;line-height:1.3;font-weight:bold",
    "ul": "margin:0 0 1.1em;padding:0 1.3em",
    "ol": "margin:0 0 1.1em;padding:0 1.5em",
    "li": "margin:0 0 .4em",
    "blockquote": "margin:0 0 1.1em;padding:0 1em;border-left:3px solid #8a8a8a;font-style:italic",
    "hr": "margin:1.6em auto;width:4em;border:0;border-top:1px solid #8a8a8a",
    "a": "color:inherit;text-decoration:underline",
    "table": "margin:0 0 1.1em;width:100%;border-collapse:collapse;font-size:.95em",
    "th": "padding:.3em .6em .3em 0;border-bottom:2px solid #8a8a8a",
    "td": "padding:.3em .6em .3em 0;border-bottom:1px solid #8a8a8a",
}
#: The same for a text from the right.
FROM_THE_RIGHT = {
    tag: style.replace("border-left", "border-right").replace(".6em .3em 0", "0 .3em .6em")
    for tag, style in STYLES.items()
}
