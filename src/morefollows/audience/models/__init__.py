"""The audience: the newsroom, its topics and readers, the evidence of their consent, and letters.

Import models from here. Invariants: `Consent`, `Wording` and `Seal` are append-only (the database
refuses changes). A `Subscription` changes only in the transaction of a `Consent` line. A confirmed
`Reader` has an address.
"""

from morefollows.audience.models.consent import Consent, Purpose, Seal, SealMark
from morefollows.audience.models.kept_figure import KeptFigure
from morefollows.audience.models.letter import Letter
from morefollows.audience.models.newsroom import Newsroom, Site, Topic, Wording
from morefollows.audience.models.progress_marks import DepartureMark, KeyCheck, UnfinishedImport
from morefollows.audience.models.reader import (
    DrillReader,
    ErasedReader,
    Erasure,
    Reader,
    Subscription,
)
from morefollows.audience.models.seed import SeedInbox
from morefollows.audience.models.sign_up_limits import SignUpTally, SpentWork
from morefollows.audience.models.suppression import Bounce, Suppression

__all__ = (
    "Bounce",
    "Consent",
    "DepartureMark",
    "DrillReader",
    "ErasedReader",
    "Erasure",
    "KeptFigure",
    "KeyCheck",
    "Letter",
    "Newsroom",
    "Purpose",
    "Reader",
    "Seal",
    "SealMark",
    "SeedInbox",
    "SignUpTally",
    "Site",
    "SpentWork",
    "Subscription",
    "Suppression",
    "Topic",
    "UnfinishedImport",
    "Wording",
)
