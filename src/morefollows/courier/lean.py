"""Makes HTML shorter without changing what it shows, and writes it for the wire without an encoding.

`tighten` takes a template before anything is put into it, so it meets no word of a story. `seven_bit` takes the mail.
"""

from __future__ import annotations

import re

from morefollows.courier.compose import LONGEST_LINE, Marks, body

_HTML = (
    r"(?P<comment><!--.*?-->)|(?P<sheet><style\b[^>]*>.*?</style>)|(?P<pre><pre\b.*?</pre>)"
    r"|(?P<tag></?[a-zA-Z!](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)"
)
_DJANGO = r"(?P<django>\{% *blocktrans.*?\{% *endblocktrans.*?%\}|\{%.*?%\}|\{\{.*?\}\})"
_TEMPLATE_TOKENS = re.compile(f"{_DJANGO}|{_HTML}|(?P<text>[^<{{]+|{{)", re.DOTALL)
_TOKENS = re.compile(f"{_HTML}|(?P<text>[^<]+)", re.DOTALL)
_BLOCK = re.compile(
    r"</?(?:!doctype|html|head|title|meta|body|div|p|h[1-6]|table|tbody|tr|td|ul|ol|li|blockquote|hr)\b", re.IGNORECASE
)
_COLUMN = re.compile(r"\.mj-column-per-(\d+)")
_SPACE = re.compile(r"[ \t\n]+")

_Token = tuple[str, str]


def _tokens(pattern: re.Pattern[str], text: str) -> list[_Token]:
    """Kind and text of each. Raises `ValueError` for what is not sound HTML."""
    found, at = [], 0
    for one in pattern.finditer(text):
        if one.start() != at:
            break
        found.append((str(one.lastgroup), one.group()))
        at = one.end()
    if at != len(text):
        raise ValueError(f"not sound HTML: {text[at : at + 40]!r}")
    return found


# -- a template ---------------------------------------------------------------------------------------------


def tighten(template: str) -> str:
    """`template` (HTML, and Django's tags, which stay as they are) without what shows nowhere.

    That is white space beside blocks and in style sheets, what closes one of Outlook's comments only to open the next,
    and mrml's style sheets for columns that are full in width already. Raises `ValueError` for what is not sound HTML.
    """
    found = _tokens(_TEMPLATE_TOKENS, template.replace("\r\n", "\n"))
    out: list[str] = []
    for at, (kind, token) in enumerate(found):
        if kind == "text":
            token = _SPACE.sub(" ", token)
            token = token.lstrip(" ") if at == 0 or _is_block(found[at - 1]) else token
            token = token.rstrip(" ") if at + 1 == len(found) or _is_block(found[at + 1]) else token
        elif kind == "tag":
            token = _tight_tag(token)
        elif kind == "sheet":
            token = "" if set(_COLUMN.findall(token)) == {"100"} else _tight_sheet(token)
        elif kind == "comment":
            token = _SPACE.sub(" ", token).replace("> <", "><").replace(';"', '"')
        out.append(token)
    return "".join(out).replace("<![endif]--><!--[if mso | IE]>", "")


def _is_block(token: _Token) -> bool:
    return token[0] in ("comment", "sheet") or bool(_BLOCK.match(token[1]))


def _tight_tag(tag: str) -> str:
    tag = re.sub(r'(?<=\sstyle=)"([^"]*)"', lambda found: f'"{_tight_declarations(found[1])}"', tag)
    pieces = re.split(r"(\"[^\"]*\")", tag)
    pieces[::2] = [re.sub(r" ?/?>$", ">", _SPACE.sub(" ", piece)) for piece in pieces[::2]]
    return "".join(pieces)


def _tight_declarations(declarations: str) -> str:
    return re.sub(r"([;:,])\s+", r"\1", declarations).strip().rstrip(";")


def _tight_sheet(sheet: str) -> str:
    """On lines of some 100 octets, none of which begins with a dot."""
    opening, css = sheet.removesuffix("</style>").split(">", 1)
    css = re.sub(r"\s*([{};,>])\s*", r"\1", _SPACE.sub(" ", css.strip()))
    css = re.sub(r"([{;][a-z-]+): ", r"\1:", css).replace(" !important", "!important").replace(";}", "}")
    lines, start = [], 0
    for one in re.finditer(r"[{;](?=[a-z@:#])", css):
        if one.end() - start > 100:
            lines.append(css[start : one.end()])
            start = one.end()
    lines.append(css[start:])
    return opening.replace(' type="text/css"', "") + ">" + "\n".join(lines) + "</style>"


# -- on the wire --------------------------------------------------------------------------------------------

_LINE = 200  # octets, where there is white space to break at
_BREAK = "\0"  # where a line may be broken, while a mail is written
# Controls and noncharacters, which no character reference can name (HTML §13.2.5.80)
_NO_REFERENCE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_UNSOUND_START = re.compile(r"^(?:[.-]|From )", re.MULTILINE)


def seven_bit(html: str, marks: Marks) -> bytes | None:
    """`html` as ASCII with character references (RFC 2045 §2.7), broken only at white space that shows as one space.

    No line begins with a dot, a dash (a boundary does) or "From ". None for what can't be written so: a run without a
    space that is longer than a line may be, or what is not ASCII where no reference is read.
    """
    html = body(html, marks)
    if _NO_REFERENCE.search(html):
        return None
    try:
        found = _tokens(_TOKENS, html)
    except ValueError:
        return None
    out: list[str] = []
    in_code = 0
    for kind, token in found:
        if kind in ("comment", "sheet"):
            if not token.isascii() or _UNSOUND_START.search(token):
                return None
        elif kind == "tag":
            in_code += token.startswith("<code") - token.startswith("</code")
            pieces = re.split(r"(\"[^\"]*\"|'[^']*')", token)
            pieces[::2] = [_SPACE.sub(_BREAK, piece) for piece in pieces[::2]]
            token = "".join(pieces)
        elif kind == "text" and not in_code:
            token = _SPACE.sub(_BREAK, token)
        out.append(_NOT_ASCII.sub(lambda one: f"&#{ord(one[0])};", token))
    lines = [line for kept in "".join(out).split("\n") for line in _broken(kept)]
    if any(len(line) > LONGEST_LINE or line.endswith((" ", "\t")) for line in lines):
        return None
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _broken(line: str) -> list[str]:
    lines: list[str] = []
    words = line.split(_BREAK)
    now = words[0]
    for word in words[1:]:
        if len(now) + 1 + len(word) > _LINE and now:
            lines.append(_sound_start(now))
            now = word
        else:
            now += " " + word
    return [*lines, _sound_start(now)]


def _sound_start(line: str) -> str:
    return f"&#{ord(line[0])};{line[1:]}" if _UNSOUND_START.match(line) else line
