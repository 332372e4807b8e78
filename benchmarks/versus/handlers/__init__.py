"""The handlers that people write by hand: what the SDKs' documentation shows, and the same in an expert's hands."""
