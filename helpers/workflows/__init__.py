"""What runs by itself: the notebooks headlessly, and retraining."""
