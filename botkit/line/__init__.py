"""LINE's wire: signature, events, bodies, text and the client."""
