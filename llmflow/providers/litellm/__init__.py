"""Vendors that speak neither of OpenAI's APIs, through the library litellm."""
