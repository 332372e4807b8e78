"""Chat models and tokens."""
