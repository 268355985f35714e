"""The ledger: an alert's readers in batches, who has claimed them, and one outcome for each."""
