"""`python -m gateway` is the command `sluis`."""

from gateway.cli import main

main()
