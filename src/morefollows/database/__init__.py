"""What tables and connections share: clock, append-only triggers, bulk writes, time limits."""
