"""What a running process tells of its work: the context of log lines, and traces."""
