"""Whether an item's news is that of an earlier item or of a running story.

`match` judges by id first, then by near-duplicate text (`text_copies`), then by likeness of the
event (`event_likeness`, in an `event_index`).
`docs/how-to/wire-rules.md` has the measure and its error rates.
"""
