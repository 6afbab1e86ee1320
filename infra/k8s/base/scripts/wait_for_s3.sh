# Instead of make_bucket.sh, for an S3 server that makes the bucket and its user by itself (SeaweedFS).
set -eu
until wget -q -O /dev/null "http://minio:9000/healthz"; do sleep 1; done
