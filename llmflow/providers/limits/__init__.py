"""The limits of models.yaml, counted and enforced: per worker, or for a fleet through Redis."""
