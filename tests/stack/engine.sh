#!/usr/bin/env bash
# Start a Docker engine and build the base images of the Compose file, for machines without access to a registry.
#
#   tests/stack/engine.sh FOLDER     for the engine's data; needs root, Go, and Debian's docker.io, debootstrap
#                                    and iptables
#
# Existing images are kept. For tests on this machine only: the images contain its certificates.
set -euo pipefail
work=$(realpath -m "${1:?name a folder for the engine}")
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$work"

if ! docker info >/dev/null 2>&1; then
    setsid nohup dockerd --data-root "$work/data" --exec-root "$work/exec" -p "$work/pid" \
        >"$work/dockerd.log" 2>&1 </dev/null &
    for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 1; done
    docker info >/dev/null
fi

have() { docker image inspect "$1" >/dev/null 2>&1; }
# The names that the Compose file pins.
default() { sed -n "s/.*\${$1:-\([^}]*\)}.*/\1/p" "$here/../../infra/docker-compose.yml" | head -n 1; }
python=$(default PYTHON_IMAGE) postgres=$(default POSTGRES_IMAGE) minio=$(default MINIO_IMAGE)

if ! have debian:bookworm-slim; then
    mirror=$(awk '/^URIs:/{print $2; exit}' /etc/apt/sources.list.d/debian.sources)
    root="$work/rootfs"
    debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1
    cp /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/"
    : >"$root/etc/apt/sources.list"
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    printf '[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ntimeout = 180\n' >"$root/etc/pip.conf"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
    tar -C "$root" -c . | docker import --change 'CMD ["bash"]' - debian:bookworm-slim
    rm -rf "$root"
fi
have "$python" || docker build -q -t "$python" "$here/images/python"
have "$postgres" || docker build -q -t "$postgres" "$here/images/postgres"
if ! have "$minio"; then
    GOBIN="$work/bin" CGO_ENABLED=0 "$here/install_minio.sh"
    cp "$here/images/minio/Dockerfile" "$work/bin/Dockerfile"
    docker build -q -t "$minio" "$work/bin"
fi
