"""Claims: a folder of letters is read, judged, and paid, with people above a limit and a saga around the money."""
