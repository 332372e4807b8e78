"""Accepted once, answered once."""
