"""A tool whose effect a test can count."""

from llmflow.tools import tool

published: list[str] = []


@tool
async def publish(text: str) -> int:
    """Publish a text; how long it is."""
    published.append(text)
    return len(text)
