"""Pure trading knowledge: standard library only, no I/O, no clock, no async, no float for money."""
