"""The bot file: its models, its loader with places, its values."""
