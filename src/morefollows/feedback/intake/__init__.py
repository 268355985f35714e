"""What comes back: bounces, complaints, automatic answers and replies to our mail.

`receivers` takes raw mail and webhooks in, and stores them before they are acknowledged. `reading`
tells what a mail is, without the database. `actions` finds the reader it is about, and does what
follows from it. `bounce_flood` counts bounces against readers, under a brake of its own, and
`soft_bounces` decides when full mailboxes and the like are suppressed.
"""
