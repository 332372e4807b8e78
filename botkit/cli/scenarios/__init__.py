"""What `botkit test` and pytest have in common: which scenarios, how they are told, and what is kept."""
