"""What a user would pick instead. Nothing here imports the ledger.

Each module is a child process that prints one JSON object: {"units": n, "seconds": s}, and more where it says
so. The seconds leave out the start of the interpreter, in the peers' favour; the ledger's own rows are timed
from outside.
"""
