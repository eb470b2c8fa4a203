"""What a worker tells of itself: its health, and its metrics."""
