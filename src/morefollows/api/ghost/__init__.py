"""Ghost breaks stories by its webhooks: what it publishes becomes a story, and perhaps an alert.

`hook_endpoint` is the address that Ghost posts to, `posts` reads what it sends, `follow` does it
as the account of an API key, and `connections` makes and ends connections.
"""
