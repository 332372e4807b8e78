"""Where conversations are kept: one contract, three adapters.

What each method promises is said once, at `botkit.ports.Store`; the adapters add only how they keep it.
"""
