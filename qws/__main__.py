"""`python -m qws`."""

from qws.cli import main

main()
