"""The list of stories, the write page, and the check page before Send."""
