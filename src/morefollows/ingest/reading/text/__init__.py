"""Plain text and Markdown: headline, byline, dateline, story and notes by how lines look."""
