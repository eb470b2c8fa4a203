"""Use cases over client and stores, with data in and out: the command line and every other door call them."""
