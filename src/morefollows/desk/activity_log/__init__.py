"""The activity log: a page with a filter, and its export."""
