"""The research assistant: a question, a folder of documents, and a report that cites them."""
