"""SMS to 2757: a text comes in through a gateway, one text of one segment goes back.

parser     what a text asks for; pure, takes whatever people type
phones     one form for every way a phone number is written
replies    the sentences, each one GSM-7 segment
missing    the months of a reply, as far as there is room
messages   what came and what was answered: a gateway's retry gets the same answer, a sender has a limit
answering  the flow over members and balances
gateway    what an adapter of a gateway has to do; `kannel` does it for Kannel
doors      the routes

Texts that nobody asked for are letters of the outbox: `api.mail.sms`.

How Kannel is set up, so that no log of it holds a number or a text: `access-log` off, `log-level = 3` or higher, and in
the `sms-service` group

    post-url = "http://kannel:PASSWORD@HOST:8099/channels/sms/kannel?id=%I&smsc=%i"

The text then travels in the body and the numbers in headers. An address with `&from=%p&text=%a` works too.
"""
