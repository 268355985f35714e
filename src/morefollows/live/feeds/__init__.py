"""Feeds and metadata for programs: Atom, RSS, JSON Feed, ninjs, sitemap, schema.org, WebSub."""
