"""Everything around the handler on one's own machine: the bots folder, AWS's part, and who looks on."""
