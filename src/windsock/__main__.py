"""`python -m windsock`."""

from windsock.cli import main

main()
