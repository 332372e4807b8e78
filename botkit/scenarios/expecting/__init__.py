"""What is expected of a bot, held against what came."""
