"""The simulated exchange as a process of its own: its ports over TCP on this computer."""
