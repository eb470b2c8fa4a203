"""Customer support: a handbook answers questions, refunds above a limit need a yes, the rest goes to people."""
