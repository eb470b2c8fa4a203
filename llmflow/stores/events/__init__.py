"""Run events for readers: a bounded stream for each root run, in the store or in Redis."""
