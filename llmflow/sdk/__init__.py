"""Private surfaces of temporalio, each with a test that fails without it."""
