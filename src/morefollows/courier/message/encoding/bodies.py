"""Encodes text and HTML for the wire: ASCII, CRLF line ends, no long lines, no leading dots.

Quoted-printable can encode any text. HTML uses character references instead if that is shorter.
"""

from __future__ import annotations

import re

LONGEST_LINE = 998  #: octets, without CRLF (RFC 5322 §2.1.1)

# -- quoted-printable ------------------------------------------------------------------------------

_HEX = "0123456789ABCDEF"
_LITERAL = frozenset(chr(c) for c in (*range(33, 61), *range(62, 127), 9, 32))
# Of 76 octets: room for the "=" of a soft line break, and for a first character as "=XX".
_QP_LINE = 73


def _lines(text: str) -> str:
    """`text` with LF for line ends and without the last one."""
    return text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def quoted_printable(text: str, unbroken: re.Pattern[str]) -> bytes:
    """`text` in quoted-printable UTF-8 (RFC 2045 §6.7), with lines of at most 76 octets.

    Matches of `unbroken` stay on one line. No line begins with a dot, which SMTP would double, or
    with "From ", which mailboxes would change and so break DKIM.
    """
    atoms = re.compile(f"{unbroken.pattern}|(?s:.)")
    lines: list[str] = []
    for line in _lines(text).split("\n"):
        now: list[str] = []
        width = 0
        for atom in atoms.findall(line):
            code = atom if len(atom) > 1 or atom in _LITERAL else escaped(atom)
            if width + len(code) > _QP_LINE:
                lines.append(_sound_qp_start("".join(now)) + "=")
                now, width = [], 0
            now.append(code)
            width += len(code)
        whole = _sound_qp_start("".join(now))
        if whole.endswith((" ", "\t")):
            whole = whole[:-1] + escaped(whole[-1])
        lines.append(whole)
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def escaped(character: str) -> str:
    """Encodes one character as =XX for each UTF-8 octet (quoted-printable, Q encoded words)."""
    return "".join(f"={_HEX[octet >> 4]}{_HEX[octet & 15]}" for octet in character.encode())


def _sound_qp_start(line: str) -> str:
    return escaped(line[0]) + line[1:] if line.startswith((".", "From ")) else line


# -- HTML with character references ----------------------------------------------------------------

HTML = (
    r"(?P<comment><!--.*?-->)|(?P<sheet><style\b[^>]*>.*?</style>)|(?P<pre><pre\b.*?</pre>)"
    r"|(?P<tag></?[a-zA-Z!](?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)"
)
_TOKENS = re.compile(f"{HTML}|(?P<text>[^<]+)", re.DOTALL)
SPACE = re.compile(r"[ \t\n]+")


def html_tokens(pattern: re.Pattern[str], text: str) -> list[tuple[str, str]]:
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


_HTML_LINE = 200  # octets, where there is white space to break at
_BREAK = "\0"  # where a line may be broken, while a mail is written
# Controls and noncharacters, which no character reference can name (HTML §13.2.5.80)
_NO_REFERENCE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_UNSOUND_START = re.compile(r"^(?:[.-]|From )", re.MULTILINE)


def seven_bit(html: str) -> bytes | None:
    """Encodes `html` as ASCII with character references, broken at collapsible white space only.

    RFC 2045 §2.7. No line begins with a dot, a dash (as boundaries do) or "From ". Returns None if
    that is impossible: a run without a space is too long, or non-ASCII text stands where no
    reference is read.
    """
    html = _lines(html)
    if _NO_REFERENCE.search(html):
        return None
    try:
        found = html_tokens(_TOKENS, html)
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
            pieces[::2] = [SPACE.sub(_BREAK, piece) for piece in pieces[::2]]
            token = "".join(pieces)
        elif kind == "text" and not in_code:
            token = SPACE.sub(_BREAK, token)
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
        if len(now) + 1 + len(word) > _HTML_LINE and now:
            lines.append(_sound_html_start(now))
            now = word
        else:
            now += " " + word
    return [*lines, _sound_html_start(now)]


def _sound_html_start(line: str) -> str:
    return f"&#{ord(line[0])};{line[1:]}" if _UNSOUND_START.match(line) else line
