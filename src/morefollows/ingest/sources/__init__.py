"""Where items come from: feeds and pages that are polled, hubs, folders and mailboxes."""
