"""Approvals: questions to approvers, and their decisions."""
