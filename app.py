"""Open GAN Play in the browser: `python app.py`, then follow the printed address."""

import sys

if __name__ == "__main__":  # child processes import this file too, and need none of it
    from gan_play.ui.server import main

    sys.exit(main())
