"""What the notebooks share: small modules, one job each. No module knows which notebook calls it."""
