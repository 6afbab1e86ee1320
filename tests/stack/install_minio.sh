#!/bin/sh
# Build MinIO and its client from the last upstream sources with Go, into GOBIN. The repositories are archived and
# their release tags are no longer served as versions; these are their last commits.
set -eu
go install github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c
go install github.com/minio/mc@v0.0.0-20250313080218-cf909e1063a9
