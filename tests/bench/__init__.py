"""How fast, how big: `make bench`, or `python -m tests.bench [--only ROW] [--scale 0.1] [--rounds 3]`.

Every figure stands beside what a user would pick instead, measured in the same run, on the same machine and
the same PostgreSQL with its default settings (fsync on). Rows and peers take turns inside a round, so that a
noisy minute hits all of them; the table shows median, best, memory and ratios. It is a table to read, never a
test with a limit.

    __main__   the command line, the rounds, the table
    rows       every row: which contenders, over which input
    ours       the ledger as a contender, through its public commands and HTTP
    theirs     the peers as contenders
    peers/     the peers themselves: plain SQL, the library's own way, a bare endpoint; nothing of ours
    world      the temporary directory, PostgreSQL, prepared stores and their clones
    child      one measured child process: wall time, memory
    uploads    the memory of large uploads that come at once
    plain_read the API's balance without key and record, for one row
    load       HTTP: a pinned server and wrk
    client     HTTP: small remittances by 16 clients, and the follow probe (a child process)
    notices    what notices cost (with a child process of its own)
    members    members of a ledger and their access tokens (a child process)
    files      the generated input (a child process)
"""
