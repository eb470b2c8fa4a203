"""Usage of an answer in vendors' formats, converted to `Usage`: a table for each dialect, and one reader for all."""
