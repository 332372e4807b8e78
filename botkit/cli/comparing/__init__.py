"""The two sides of `botkit compare`, and how they are shown."""
