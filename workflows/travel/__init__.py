"""The travel agent: three bookings that all stand, or are all undone."""
