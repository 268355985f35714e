"""One claimed batch of an alert in a sender process: from its claim to the outcome of each mail.

`batch_run` renders and hands out its mails, `settling` notes the replies. `mail_states` has the
table of the mails' states, `batch_mails` the states and queues of one batch. `prepared_alert` is
what all batches of an alert share.
"""
