"""One actor per file; no actor imports another."""
