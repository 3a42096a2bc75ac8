"""Acts: a decision taken against the store; what was read is decided, appended, and tried again after a lost race."""
