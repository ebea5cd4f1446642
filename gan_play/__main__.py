"""`python -m gan_play VERB`: the command line."""

import sys

from gan_play.cli import main

if __name__ == "__main__":
    sys.exit(main())
