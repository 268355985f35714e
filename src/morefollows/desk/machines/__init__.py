"""Page of the machines: which processes work on this database, and which of them do not."""
