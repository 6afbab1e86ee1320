# Create the bucket and a user with access to that bucket only. Idempotent.
set -eu
export MC_CONFIG_DIR=/tmp/mc
until mc alias set stack "http://minio:9000" "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD"; do sleep 2; done
mc mb --ignore-existing "stack/$BUCKET"
cat > /tmp/policy.json <<POLICY
{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"],
   "Resource": ["arn:aws:s3:::$BUCKET"]},
  {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload",
   "s3:ListMultipartUploadParts"], "Resource": ["arn:aws:s3:::$BUCKET/*"]}]}
POLICY
mc admin policy create stack "$BUCKET" /tmp/policy.json
mc admin user add stack "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
mc admin policy attach stack "$BUCKET" --user "$AWS_ACCESS_KEY_ID" || true # fails if it is attached already
mc alias set user "http://minio:9000" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY"
mc ls "user/$BUCKET" > /tmp/listing # fails if it is not
