"""The few things of temporalio that are not public, each with a test that fails without it."""
