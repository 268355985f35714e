"""The sources of news, under Settings."""
