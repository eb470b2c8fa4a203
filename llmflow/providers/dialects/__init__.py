"""Formats that vendors share: token counts, tool calls and failures."""
