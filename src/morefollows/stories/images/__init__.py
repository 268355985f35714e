"""Images in stories: decoding untrusted files, storing them, showing them in pages and mails."""
