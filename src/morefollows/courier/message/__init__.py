"""Composes mails, from their content to the bytes of one reader's copy.

1. `alert` (alerts and offers), `letters` (confirmation, thanks …) and `digest` each return a
   `content.Content`: template, subject, list and text. `subjects` words those of alerts.
2. `compose` renders text and HTML and puts the `headers` before them: those of threads are in
   `thread_headers`. `encoding` puts all of it into the form of the wire.
3. `template` holds the result: bytes with slots. `renderer` returns the function that fills and
   signs them for one reader.

The HTML templates are compiled from `mjml/` when the product is built (`make mails`).
"""
