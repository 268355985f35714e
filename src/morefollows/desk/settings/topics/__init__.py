"""Topics: adding, changing, ordering, retiring and merging."""
