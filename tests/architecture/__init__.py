"""The rules of the house, as tests.

A rule is a small function that reads sources and yields what is wrong, as `file:line: what, and what to do`. It is
used twice: on the project, and on small examples, because a rule that rejects nothing holds nothing.
"""
