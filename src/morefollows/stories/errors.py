"""What an action raises when it is not possible."""

from __future__ import annotations


class Refused(Exception):
    """The action is not possible as things stand.

    ``str()`` says why and what to do, in the editor's words.
    """
