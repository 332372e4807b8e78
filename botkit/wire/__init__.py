"""The one TLS context of the process, and AWS over kept connections, without the SDK's start."""
