"""`python -m gptdesk` is the console script."""

import sys

from gptdesk.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
