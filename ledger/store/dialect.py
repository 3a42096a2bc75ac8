"""What SQL of this project says in two ways: the words for it, so that a statement is written once."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """Which store's SQL it is."""

    SQLITE = "sqlite"
    POSTGRES = "postgres"

    @property
    def has_schemas(self) -> bool:
        """Whether tables of one kind stand in a schema of their own; else they have a file of their own."""
        return self is Dialect.POSTGRES

    def prefix(self, schema: str) -> str:
        """What stands before the names of tables of one kind."""
        return f"{schema}." if self.has_schemas else ""

    @property
    def bytewise(self) -> str:
        """What makes a text column sort by its bytes, whatever the database's language."""
        return "" if self is Dialect.SQLITE else ' collate "C"'

    @property
    def greatest(self) -> str:
        """The function that gives the larger of two values."""
        return "max" if self is Dialect.SQLITE else "greatest"

    @property
    def clustered(self) -> str:
        """What ends a table whose rows lie in the order of its key, where tables may."""
        return " without rowid" if self is Dialect.SQLITE else ""

    @property
    def integer_key(self) -> str:
        """The type of a column of integers that is the key by itself."""
        return "integer primary key" if self is Dialect.SQLITE else "bigint primary key"

    @property
    def rewrites_indexes(self) -> bool:
        """Whether each transaction writes most pages of an index of hashes anew, so that large loads go in larger ones."""
        return self is Dialect.SQLITE

    def key_at_once(self, key: str) -> str:
        """What ends the columns of a table that is filled in bulk: its key, where the rows lie in its order; elsewhere
        `key_later` is quicker."""
        return f", primary key ({key}))" + self.clustered if self is Dialect.SQLITE else ")"

    def key_later(self, table: str, key: str) -> str:
        """The statement that gives such a table its key after it was filled; "" where it has one."""
        return "" if self is Dialect.SQLITE else f"alter table {table} add primary key ({key})"
