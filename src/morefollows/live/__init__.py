"""What the public sees of stories after they are sent: pages, event streams and feeds."""
