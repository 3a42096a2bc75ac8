"""The commands of `jht`, one file per noun: what is typed and printed. `console` opens the ledger and prints."""
