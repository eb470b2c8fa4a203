"""Costs of calls: reported by the vendor, or from the first price list that knows the model."""
