"""What the public sees of stories after they are sent, on every channel.

`published` alone decides which stories, updates and images that is. `rendering` makes HTML of them,
and `rendering_cache` keeps it. `stream` sends changes to open story pages. `feeds` writes them for
programs, and tells a WebSub hub about them.
"""
