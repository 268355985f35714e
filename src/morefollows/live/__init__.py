"""What the public sees of stories after they are sent, on every channel.

`published` alone decides which stories and updates that is, and `public_images` which images.
`rendering` makes HTML of them, and `rendering_cache` keeps it. `stream` sends changes to open story
pages. `feeds` writes them for programs, and tells a WebSub hub about them.
"""
