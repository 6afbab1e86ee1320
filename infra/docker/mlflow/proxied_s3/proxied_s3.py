"""An artifact store in S3 that MLflow's clients access through the server only: ``proxied-s3://bucket/path``.

A server on ``s3://`` announces multipart transfers (``/api/3.0/mlflow/server-info``), since its S3 repository
can presign. Stock clients then use presigned URLs, which contain the S3 server's address inside the stack; a
client outside hangs until its retries are exhausted. MLflow has no setting to prevent that. This repository,
found through MLflow's plugin mechanism, does the same without presigning, so every transfer goes through the
server.
"""

from mlflow.store.artifact.artifact_repo import ArtifactRepository
from mlflow.store.artifact.s3_artifact_repo import S3ArtifactRepository


class ProxiedS3ArtifactRepository(ArtifactRepository):
    """``S3ArtifactRepository`` without its presigned transfers."""

    def __init__(self, artifact_uri: str, *args, **kwargs):
        super().__init__(artifact_uri, *args, **kwargs)
        self._s3 = S3ArtifactRepository(artifact_uri.removeprefix("proxied-"), *args, **kwargs)

    def log_artifact(self, local_file, artifact_path=None):
        """Upload one file."""
        self._s3.log_artifact(local_file, artifact_path)

    def log_artifacts(self, local_dir, artifact_path=None):
        """Upload a folder."""
        self._s3.log_artifacts(local_dir, artifact_path)

    def list_artifacts(self, path=None):
        """List the entries directly below a path."""
        return self._s3.list_artifacts(path)

    def _download_file(self, remote_file_path, local_path):
        self._s3._download_file(remote_file_path, local_path)

    def delete_artifacts(self, artifact_path=None):
        """Delete a file or a folder."""
        self._s3.delete_artifacts(artifact_path)
