# In place of make_bucket.sh, for an S3 server that creates the bucket and its user itself (SeaweedFS).
set -eu
until wget -q -O /dev/null "http://minio:9000/healthz"; do sleep 1; done
