"""Holds the thread of a workflow that fans out, outside of the sandbox: the server hears late of what it does."""

from threading import Event

held, release = Event(), Event()


def hold_once() -> None:
    """Block until `release` is set, well below the time after which Temporal takes it for a deadlock."""
    held.set()
    release.wait(1)
