"""Actors, messages, journal-first delivery and supervision. Knows nothing about trading."""
