"""``python -m emostream`` is ``emostream``."""

from .cli.main import main

if __name__ == "__main__":
    main()
