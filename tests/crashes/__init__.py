"""Real processes, really killed: what must hold of the books afterwards."""
