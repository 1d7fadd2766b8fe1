"""What every broker must do, as numbered cards: the same for paper, for a socket, and for a live terminal."""
