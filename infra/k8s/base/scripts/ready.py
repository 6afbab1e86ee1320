"""Request one experiment like a client: exits with 0 only if PostgreSQL answers behind the server."""

import base64
import os
import urllib.request

login = f"{os.environ['MLFLOW_TRACKING_USERNAME']}:{os.environ['MLFLOW_TRACKING_PASSWORD']}"
request = urllib.request.Request(
    "http://127.0.0.1:5000/api/2.0/mlflow/experiments/search?max_results=1",
    headers={"Authorization": "Basic " + base64.b64encode(login.encode()).decode()},
)
urllib.request.urlopen(request, timeout=8).read()
