"""Open GAN Play in the browser: `python app.py`, then follow the printed address."""

import gc
import sys

if __name__ == "__main__":  # child processes import this file too, and need none of it
    gc.disable()  # until the page is open: of what is imported nothing can be collected, and looking takes a second
    from gan_play.ui.server import main

    sys.exit(main())
