"""Open GAN Play in the browser: `python app.py`, then follow the printed address."""

import sys

from gan_play.ui.server import main

if __name__ == "__main__":
    sys.exit(main())
