"""Mails, in one line from what they say to the bytes of one reader's copy.

1. A kind says what its mails say: `alert` (alerts and offers), `letters` (confirmation, thanks …) and `digest` each
   give a `content.Content`: template, subject, list and words.
2. `parts` renders text and HTML, and puts the header (`headers`) before them, as the wire has them (`encoding`).
3. `template` is the result: bytes with holes. `press` makes the function that fills them for one reader, and signs.

The HTML templates are compiled from `mjml/` when the product is built (`make mails`).
"""
