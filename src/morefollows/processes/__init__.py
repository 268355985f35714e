"""The processes that `up` starts and supervises, and what they need before and while they run."""
