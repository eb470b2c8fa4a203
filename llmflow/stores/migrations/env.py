"""Alembic environment: runs on the connection and in the transaction that `llmflow.stores.upgrade` gives it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
