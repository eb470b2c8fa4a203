"""Vendors with an API other than OpenAI's two, through the library litellm."""
