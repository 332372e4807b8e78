"""Deterministic simulation: the real delivery code on fake ports, under virtual time and planned faults."""
