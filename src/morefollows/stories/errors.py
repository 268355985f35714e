"""The exceptions that actions raise when they are not possible."""

from __future__ import annotations


class ActionRefused(Exception):
    """The action is not possible as things stand.

    ``str()`` says why and what to do, as a text for editors.
    """


class NotApproved(ActionRefused):
    """The draft needs the approval of an editor who did not write it, or a reason to go without."""
