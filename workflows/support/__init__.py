"""Customer support: a handbook answers questions, refunds above a limit need an approval, the rest goes to people."""
