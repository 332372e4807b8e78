"""The page of `botkit dev`: LINE as people see it, over HTTP."""
