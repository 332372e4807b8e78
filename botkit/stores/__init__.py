"""Where conversations are kept: one contract, three adapters."""
