"""Data that crosses the wire: frozen, keyword-only, with imports of the standard library and pydantic only."""
