"""The test file: its models, loaded with places, its schema and its page."""
