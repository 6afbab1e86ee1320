"""The production model behind HTTP: start the server, request scores."""

from helpers.serving.server import become_server, model_server, request_scores

__all__ = [
    "become_server",
    "model_server",
    "request_scores",
]
