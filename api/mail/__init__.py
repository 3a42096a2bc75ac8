"""Mails to members: an event queues a letter in the outbox, this package puts it into words and sends it.

texts     the words of every kind of letter, in both languages, from `texts.toml`
message   a letter as a MIME message: plain text and HTML with a style block of its own, nothing loaded from outside
server    the mail server behind JHT_SMTP_URL
sender    the loop that takes due letters and sends them, again and again until their time is over
console   without a mail server: letters on the terminal, and only there
"""
