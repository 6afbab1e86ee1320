"""The production model behind HTTP: start the server, request scores."""

from helpers.serving.server import model_server, request_scores

__all__ = [
    "model_server",
    "request_scores",
]
