"""Accept-Language (RFC 9110 §12.5.4): the language that a browser asks for."""

from __future__ import annotations


def preferred(accepted: str, offered: tuple[str, ...]) -> str | None:
    """Returns the offered language that an Accept-Language header prefers (RFC 9110 §12.5.4)."""
    wanted = []
    for part in accepted.split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.strip().lower()))
        except ValueError:
            continue
    for weight, tag in sorted(wanted, key=lambda one: one[0]):
        bare = tag.partition("-")[0]
        if weight < 0 and bare in offered:
            return bare
    return None
