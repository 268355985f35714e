"""The list of stories, the write page (`writing`), and the check page before Send."""
