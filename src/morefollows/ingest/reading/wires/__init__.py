"""Formats in which agencies deliver: ninjs, NewsML-G2 and NITF."""
