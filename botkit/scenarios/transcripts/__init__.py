"""Stored conversations made into scenarios, without names and ids."""
