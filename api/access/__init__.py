"""Who comes in from outside: members, staff of the agency, employers' people, programs.

login           the one decision for every door; guard: how often one may try, windows: counted over all processes
passwords       argon2, and common_passwords, which nobody may choose
passkeys        a login without a password; challenges: what a device signs for it
factors, totp   the second factor of staff
sessions        of the web; tokens: of the mobile app; tables: where both stand
cookies, csrf   what belongs to forms; devices: those that somebody has logged in from before
oidc            members come in through another provider
users           the people who are no members
proposals       what one officer proposed and another has to confirm
keys            programs: keys with scopes and objects
log             who read what, and why
identity        all of it as one process holds it

What a member is stands in the ledger (`ledger.members`).
"""
