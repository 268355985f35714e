"""What stands between a sender's mails and its relays: queues, rates, shares, throttles, pauses."""
