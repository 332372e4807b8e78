"""Lambda events as requests, and what else is AWS's own."""
