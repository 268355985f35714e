"""Relays that are providers' HTTP APIs: one call carries many readers' mails.

`relay` gathers mails into calls and settles each of them. `message_parts` takes a composed mail
apart into what the APIs want: subject, text, HTML and header fields, with marks where readers
differ.
`http_client` is the HTTP. Each provider is one module that knows its API (`contract.ProviderApi`).

No Django here.
"""
