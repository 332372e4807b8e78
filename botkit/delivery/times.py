"""How long things live and may take, in milliseconds; what of LINE's rules and of our own is a number."""

TOKEN_LIFE = 60 * 1000
"""How long a reply token is good for, in ms from the receipt of its webhook (LINE reference: Reply token)."""
SURELY_ALIVE = 55 * 1000
"""So long, in ms, a token is alive for certain: LINE's minute began a network's delay before ours."""
MAX_AGE = 24 * 3600 * 1000
"""Nothing older is answered, in ms: LINE forgets retry keys then, and people what they asked."""
RETRY_AFTER = 5 * 1000
"""When the sweep may go on with what LINE, the store or a secret did not take, in ms."""
