"""Scenarios: a bot is tested by conversations that are written down in YAML, beside its file."""
