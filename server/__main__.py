"""``python -m server`` is ``emostream``."""

from server.cli.main import main

if __name__ == "__main__":
    main()
