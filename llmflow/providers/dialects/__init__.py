"""Words that vendors share: token counts, tool calls and failures, read into one form."""
