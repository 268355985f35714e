"""Import and export of readers as CSV (RFC 4180).

An import reads the file twice. The first time (`parsing.survey`) writes nothing: it finds out what
each column means, and stops with the questions that the operator has to answer. The second time
(`importing`) `rows` says what each record means, and `chunk` writes a thousand of them in one
transaction. An import that was broken off goes on where it was (`resume`). A dry run remembers what
it would have written (`rehearsal`).

Invariant: files are streamed; memory use does not grow with the file.
"""

from morefollows.audience.lists.exporting import export_evidence, export_readers
from morefollows.audience.lists.importing import ImportReport, Problem, import_readers, learn_sizes
from morefollows.audience.lists.parsing.encoding import NotReadable
from morefollows.audience.lists.parsing.survey import OperatorAnswers, Unclear
from morefollows.audience.lists.resume import identity

__all__ = [
    "ImportReport",
    "NotReadable",
    "OperatorAnswers",
    "Problem",
    "Unclear",
    "export_evidence",
    "export_readers",
    "identity",
    "import_readers",
    "learn_sizes",
]
