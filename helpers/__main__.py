"""``python -m helpers`` is ``churn``."""

from helpers.cli import main

main()
