"""Compiles the mails' MJML to the HTML templates that the product renders: `make mails`.

Sources are in src/morefollows/courier/message/mjml; what is made of them, in
src/morefollows/courier/message/templates/mail. Both are committed. With --check nothing is written,
and it fails if a template is not up to date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import mrml

from morefollows.courier.message.encoding.bodies import HTML, SPACE, html_tokens

_MESSAGE = Path(__file__).parents[1] / "src" / "morefollows" / "courier" / "message"
SOURCES = _MESSAGE / "mjml"
MADE = _MESSAGE / "templates" / "mail"

_DJANGO = r"(?P<django>\{% *blocktrans.*?\{% *endblocktrans.*?%\}|\{%.*?%\}|\{\{.*?\}\})"
_TEMPLATE_TOKENS = re.compile(f"{_DJANGO}|{HTML}|(?P<text>[^<{{]+|{{)", re.DOTALL)
_BLOCK = re.compile(
    r"</?(?:!doctype|html|head|title|meta|body|div|p|h[1-6]|table|tbody|tr|td|ul|ol|li|blockquote|hr)\b",
    re.IGNORECASE,
)
_COLUMN = re.compile(r"\.mj-column-per-(\d+)")

_STYLE = re.compile(r'(?<=\sstyle=)"([^"]*)"')
_TRIMMED = re.compile(
    r"(\{% blocktrans\w* trimmed[^%]*%\})(.*?)(\{% endblocktrans\w* %\})", re.DOTALL
)
_BUTTON = re.compile(r"(<mj-button\b[^>]*>)\s*(.*?)\s*(</mj-button>)", re.DOTALL)

_Token = tuple[str, str]

_TOKEN = re.compile(
    r"(?<![\w-])([cd])-((?:ink|on|warm)(?:-2|-warm|-soft)?|main|paper|soft|line|link)\b(?!-)"
)
_MIRRORED = {
    ' align="left"': ' align="{{ start }}"',
    "text-align:left": "text-align:{{ start }}",
    "direction:ltr": "direction:{{ direction }}",
    "border-left": "border-{{ start }}",
}


def compiled() -> dict[str, str]:
    """Name of each mail's template, and what it should hold."""
    head = {"head.mjml": (SOURCES / "head.mjml").read_text(encoding="utf-8")}
    found = {}
    for source in sorted(SOURCES.glob("*.mjml")):
        if source.name not in head:
            parsing = mrml.ParserOptions(include_loader=mrml.memory_loader(head))
            # Without fonts: mrml would have each opened mail fetch some from a third party.
            text = joined(source.read_text(encoding="utf-8"))
            html = mrml.to_html(text, parsing, mrml.RenderOptions(fonts={})).content
            note = f"{{# Made by `make mails` from message/mjml/{source.name}: change that one. #}}"
            made = branded(tighten(html))
            found[source.stem + ".html"] = note + "{% load i18n %}" + made + "\n"
    return found


def joined(source: str) -> str:
    """`source` without line breaks in styles, translations and buttons: mails would have them."""
    source = _STYLE.sub(lambda found: f'"{_tight_declarations(found[1])}"', source)
    source = _TRIMMED.sub(
        lambda found: found[1] + SPACE.sub(" ", found[2].strip()) + found[3], source
    )
    return _BUTTON.sub(r"\1\2\3", source)


def branded(template: str) -> str:
    """`template` with Django's variables for what the newsroom's brand and the language decide.

    The sources name colours `c-ink` (light) or `d-ink` (dark). The layout of MJML is from the left
    to the right: its alignments become variables that are mirrored for Arabic and Hebrew.
    """
    template = _TOKEN.sub(lambda one: f"{{{{ {one[1]}.{one[2].replace('-', '_')} }}}}", template)
    template = template.replace("Georgia,'Times New Roman',Times,serif", "{{ face|safe }}")
    for fixed, variable in _MIRRORED.items():
        template = template.replace(fixed, variable)
    return template


def tighten(template: str) -> str:
    """`template` (HTML, and Django's tags, which stay as they are) without what shows nowhere.

    That is white space beside blocks and in style sheets, what closes one of Outlook's comments
    only to open the next, and mrml's style sheets for columns that are full in width already.
    Raises `ValueError` for what is not sound HTML.
    """
    found = html_tokens(_TEMPLATE_TOKENS, template.replace("\r\n", "\n"))
    out: list[str] = []
    for at, (kind, token) in enumerate(found):
        if kind == "text":
            token = SPACE.sub(" ", token)
            token = token.lstrip(" ") if at == 0 or _is_block(found[at - 1]) else token
            token = token.rstrip(" ") if at + 1 == len(found) or _is_block(found[at + 1]) else token
        elif kind == "tag":
            token = _tight_tag(token)
        elif kind == "sheet":
            token = "" if set(_COLUMN.findall(token)) == {"100"} else _tight_sheet(token)
        elif kind == "comment":
            token = SPACE.sub(" ", token).replace("> <", "><").replace(';"', '"')
        out.append(token)
    return "".join(out).replace("<![endif]--><!--[if mso | IE]>", "")


def _is_block(token: _Token) -> bool:
    return token[0] in ("comment", "sheet") or bool(_BLOCK.match(token[1]))


def _tight_tag(tag: str) -> str:
    tag = _STYLE.sub(lambda found: f'"{_tight_declarations(found[1])}"', tag)
    pieces = re.split(r"(\"[^\"]*\")", tag)
    pieces[::2] = [re.sub(r" ?/?>$", ">", SPACE.sub(" ", piece)) for piece in pieces[::2]]
    return "".join(pieces)


def _tight_declarations(declarations: str) -> str:
    return re.sub(r"([;:,])\s+", r"\1", declarations).strip().rstrip(";")


def _tight_sheet(sheet: str) -> str:
    """On lines of some 100 octets, none of which begins with a dot."""
    opening, css = sheet.removesuffix("</style>").split(">", 1)
    css = re.sub(r"\s*([{};,>])\s*", r"\1", SPACE.sub(" ", css.strip()))
    css = (
        re.sub(r"([{;][a-z-]+): ", r"\1:", css)
        .replace(" !important", "!important")
        .replace(";}", "}")
    )
    lines, start = [], 0
    for one in re.finditer(r"[{;](?=[a-z@:#])", css):
        if one.end() - start > 100:
            lines.append(css[start : one.end()])
            start = one.end()
    lines.append(css[start:])
    return opening.replace(' type="text/css"', "") + ">" + "\n".join(lines) + "</style>"


def main(arguments: list[str]) -> int:
    stale = [name for name, html in compiled().items() if not _is(MADE / name, html)]
    if "--check" in arguments:
        if stale:
            print(f"{', '.join(stale)}: not up to date; run make mails", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (MADE / name).write_text(compiled()[name], encoding="utf-8")
        print(f"made {name}")
    return 0


def _is(path: Path, html: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == html


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
