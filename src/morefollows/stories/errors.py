"""The exception that actions raise when they are not possible."""

from __future__ import annotations


class ActionRefused(Exception):
    """The action is not possible as things stand.

    ``str()`` says why and what to do, as a text for editors.
    """
