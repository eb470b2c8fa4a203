"""Onboarding: from the offer to the end of the first week, with waits of days."""
