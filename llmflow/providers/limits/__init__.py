"""The limits of models.yaml, counted and enforced: alone, or by a fleet in a Redis."""
