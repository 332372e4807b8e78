"""The model's side of a scenario: scripts, recordings, judges and people played by models."""
