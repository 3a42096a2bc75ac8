"""Letters to members, by e-mail or as a text: an event queues one in the outbox, this package words and sends it.

texts     the words of every kind of letter, in both languages, from `texts.toml`
notices   the rows of a notice in words
message   a letter as a MIME message: plain text and HTML with a style block of its own, nothing loaded from outside
server    the mail server behind JHT_SMTP_URL
sender    the loop that takes due letters and sends them, again and again until their time is over
sms       the letters that go as a text, through the SMS gateway
console   without a mail server: letters on the terminal, and only there
"""
