"""Take in what comes back: a listener, mailboxes, folders and webhooks.

Each receiver stores by `actions.take_in`, and acknowledges nothing before that: an SMTP client then
keeps the mail, a mailbox or folder has it still, a provider posts its event again.
"""
