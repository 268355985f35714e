"""Feeds and pages: read, polled, and subscribed to at their hubs.

`feed_parser` reads a feed (`feed_xml`, `entries`, `entry_text`). `poller` polls all that are due:
`polling` is one poll, `pace` says when the next one is, `full_text` fetches the pages of items.
`websub` is the subscriber of W3C WebSub.
"""
