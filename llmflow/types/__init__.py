"""Data that crosses the wire: frozen, keyword-only, stdlib and pydantic alone."""
