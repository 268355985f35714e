"""What comes in: feeds, pages, wires, folders, mailboxes and files become drafts."""
