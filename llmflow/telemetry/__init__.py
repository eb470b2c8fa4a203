"""What a worker tells of itself: its health, its log, its metrics and its traces."""
