"""LINE's part, played locally: its rules behind its own HTTP interface."""
