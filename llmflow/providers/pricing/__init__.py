"""The price of a call: the vendor's own figure, or the first price list that knows it."""
