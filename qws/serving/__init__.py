"""What the daemon shows to other programs of this computer over HTTP: metrics and its health."""
