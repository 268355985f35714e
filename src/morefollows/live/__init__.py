"""What the public sees of stories after they are sent, on every channel.

`published` alone decides which stories, updates and images that is. `rendering` makes HTML of them,
and `html_cache` keeps it. `stream` sends changes to open story pages, `feeds` writes them for
programs, and `actions` enqueues the pings that tell a WebSub hub about them.
"""
