"""The use cases over client and stores, as data in and out: what the command line and every other door calls."""
