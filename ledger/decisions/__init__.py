"""Decisions: pure functions from a state and a command to facts. No store, no clock, no chance."""
