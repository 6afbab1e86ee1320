"""A real Kubernetes control plane on loopback: etcd, API server, controllers, scheduler; pods stay Pending.

Built from its Go modules at first use (five minutes; seconds with a warm build cache).
"""

import os
import shutil
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from helpers.network import free_port
from tests.infra.kubernetes.policies import KUBECTL

SOURCE = Path(__file__).with_name("kubernetes")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "bank-churn" / "controlplane"
VERSION = "1.37.2"


def build() -> Path:
    """Return the program, rebuilt if the sources in this folder changed."""
    CACHE.mkdir(parents=True, exist_ok=True)
    program, stamp = CACHE / "controlplane", CACHE / "stamp"
    sources = "".join(sorted(f.read_text() for f in SOURCE.iterdir()))
    if program.exists() and stamp.exists() and stamp.read_text() == sources:
        return program
    for file in SOURCE.iterdir():
        shutil.copy(file, CACHE)
    variables = {"gitVersion": f"v{VERSION}", "gitMajor": "1", "gitMinor": VERSION.split(".")[1]}
    flags = " ".join(f"-X k8s.io/component-base/version.{k}={v}" for k, v in variables.items())
    for command in (["go", "mod", "tidy"], ["go", "build", "-ldflags", f"-s -w {flags}", "-o", program, "."]):
        subprocess.run(command, cwd=CACHE, check=True)
    stamp.write_text(sources)
    return program


@contextmanager
def running(folder: Path):
    """Run the control plane in a folder; yield a function that runs kubectl against it."""
    program = build()
    etcd, peer, api = (free_port() for _ in range(3))
    key, public, kubeconfig = folder / "sa.key", folder / "sa.pub", folder / "kubeconfig"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    (folder / "tokens.csv").write_text('test-token,admin,1,"system:masters"\n')
    kubeconfig.write_text(
        f"""apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:{api}", insecure-skip-tls-verify: true}}}}]
users: [{{name: u, user: {{token: test-token}}}}]
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
current-context: c
"""
    )

    def kubectl(*arguments: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [KUBECTL, "--kubeconfig", kubeconfig, *arguments], capture_output=True, text=True, timeout=120
        )

    with ExitStack() as stack:

        def start(part: str, *flags: object) -> None:
            log = stack.enter_context((folder / f"{part}.log").open("w"))
            process = subprocess.Popen([program, part, *map(str, flags)], cwd=folder, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)

        start(
            "etcd",
            *("--data-dir", folder / "etcd", "--unsafe-no-fsync"),
            *("--listen-client-urls", f"http://127.0.0.1:{etcd}"),
            *("--advertise-client-urls", f"http://127.0.0.1:{etcd}"),
            *("--listen-peer-urls", f"http://127.0.0.1:{peer}"),
        )
        start(
            "kube-apiserver",
            *("--etcd-servers", f"http://127.0.0.1:{etcd}", "--cert-dir", folder / "certs"),
            *("--bind-address", "127.0.0.1", "--advertise-address", "127.0.0.1", "--secure-port", api),
            *("--service-account-key-file", public, "--service-account-signing-key-file", key),
            *("--service-account-issuer", "https://kubernetes.default.svc"),
            *("--token-auth-file", folder / "tokens.csv", "--authorization-mode", "RBAC"),
            *("--service-cluster-ip-range", "10.96.0.0/16", "--endpoint-reconciler-type", "none"),
        )
        for _ in range(120):
            if kubectl("get", "--raw", "/readyz").returncode == 0:
                break
            time.sleep(0.5)
        else:
            raise RuntimeError((folder / "kube-apiserver.log").read_text()[-2000:])
        client = ("--kubeconfig", kubeconfig, "--bind-address", "127.0.0.1", "--leader-elect=false")
        start(
            "kube-controller-manager",
            *client,
            *("--secure-port", free_port(), "--service-account-private-key-file", key),
            *("--cert-dir", folder / "controllers"),
        )
        start("kube-scheduler", *client, *("--secure-port", free_port(), "--cert-dir", folder / "scheduler"))
        yield kubectl
