"""`python -m api.cli`."""

from api.cli import main

if __name__ == "__main__":  # a rebuild starts processes, which read this file again
    main()
