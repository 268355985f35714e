"""Measures how well mails that came back are read, on a folder of them that is not ours.

``python -m tests.feedback.intake.corpus FOLDER``, or with BOUNCE_CORPUS=FOLDER in the environment.
The folder has the mails, and `expected.tsv`: on each line the name of a file, what it may be, and
its recipients, with tabs between and commas within. What it may be: hard, soft, other, complaint,
automatic or delivered. Without recipients, the mail names none. Prints each mail that is misread,
then the figures.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from morefollows.feedback.intake.reading.returned_mail import Read, read


def classes(found: Read) -> set[str]:
    """What a mail was read as: its kind, and its short form."""
    return {found.group, found.kind.value}


def main() -> int:
    place = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BOUNCE_CORPUS", "")
    if not place:
        print(__doc__)
        return 2
    folder = Path(place)
    mails = right = named = known = 0
    for line in (folder / "expected.tsv").read_text(encoding="utf-8").splitlines():
        name, kinds, recipients = [*line.split("\t"), "", ""][:3]
        found = read((folder / name).read_bytes())
        wanted = {one.lower() for one in recipients.split(",") if one}
        as_wanted = bool(classes(found) & set(kinds.split(",")))
        who_is_right = not wanted or found.recipient.lower() in wanted
        mails, right = mails + 1, right + as_wanted
        named, known = named + bool(wanted), known + (bool(wanted) and who_is_right)
        if not (as_wanted and who_is_right):
            print(f"{name}: {found.kind} {found.reason}, not {kinds}; {found.recipient or '-'}")
    if mails:
        print(f"{right} of {mails} read for what they are: {100 * right / mails:.1f} %")
    if named:
        print(f"{known} of {named} recipients found: {100 * known / named:.1f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
