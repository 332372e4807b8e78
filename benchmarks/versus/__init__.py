"""botkit against LINE handlers written by hand, on the same machine and against the same servers."""
