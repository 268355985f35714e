"""Saved pages and HTML: the article on a page, and HTML as Markdown."""
