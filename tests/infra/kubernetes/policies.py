"""What neither a schema nor a dry run checks: references between objects, and the rules of this stack."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from helpers.config import ROOT

OVERLAYS = ["single-node", "cluster"]
KUBECTL = Path(sys.executable).with_name("kubectl")  # the wheel's, not an older one on PATH
RECOMMENDED = {"name", "instance", "component", "part-of", "managed-by"}
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# Pods that are not in the manifests: cert-manager creates them for an Ingress.
ISSUER = "cert-manager.io/cluster-issuer"
SOLVER = "acme.cert-manager.io/http01-solver"
TEMPLATED = {"Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"}


def copy_manifests(folder: Path) -> Path:
    """Return a copy of ``infra/k8s`` without the user's own secrets."""
    copy = folder / "infra" / "k8s"
    shutil.copytree(ROOT / "infra" / "k8s", copy, ignore=shutil.ignore_patterns("secrets.env"))
    return copy


def of_kind(objects: list[dict], *kinds: str) -> list[dict]:
    """Return the objects of these kinds."""
    return [o for o in objects if o["kind"] in kinds]


def named(objects: list[dict], kind: str, name: str) -> dict | None:
    """Return one object, or None."""
    return next((o for o in of_kind(objects, kind) if o["metadata"]["name"] == name), None)


def template(workload: dict) -> dict:
    """Return a workload's pod template."""
    spec = workload["spec"]
    return (spec["jobTemplate"]["spec"] if workload["kind"] == "CronJob" else spec)["template"]


def pods(objects: list[dict]) -> list[dict]:
    """Return every workload that creates pods."""
    return of_kind(objects, *TEMPLATED)


def containers(workload: dict) -> list[dict]:
    """Return a workload's containers, init containers included."""
    spec = template(workload)["spec"]
    return spec.get("initContainers", []) + spec["containers"]


def title(o: dict) -> str:
    """Return ``Kind/name``."""
    return f"{o['kind']}/{o['metadata']['name']}"


def selected(workload: dict, selector: dict) -> bool:
    """Whether a label selector matches the workload's pods."""
    labels = template(workload)["metadata"]["labels"]
    if any(labels.get(k) != v for k, v in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", []):
        if rule["operator"] != "In":
            raise ValueError(f"unsupported operator {rule['operator']}")
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return True


def port_numbers(workload: dict) -> dict[str, int]:
    """Return the pods' named ports."""
    return {p["name"]: p["containerPort"] for c in containers(workload) for p in c.get("ports", [])}


def environment(objects: list[dict], container: dict) -> dict[str, str]:
    """Return a container's environment, values from Secrets as ``<secret>``."""
    variables = {}
    for source in container.get("envFrom", []):
        config = named(objects, "ConfigMap", source["configMapRef"]["name"])
        variables.update(config["data"] if config else {})
    for entry in container.get("env", []):
        variables[entry["name"]] = entry.get("value", "<secret>")
    return variables


def services(objects: list[dict]) -> Iterator[str]:
    """Every Service selects pods that exist, at a port that they have."""
    for service in of_kind(objects, "Service"):
        selected_workloads = [
            w for w in pods(objects) if selected(w, {"matchLabels": service["spec"]["selector"]})
        ]
        if len(selected_workloads) != 1:
            yield f"{title(service)} selects the pods of {len(selected_workloads)} workloads, not of one"
        for workload, port in product(selected_workloads, service["spec"]["ports"]):
            target = port["targetPort"]
            if port_numbers(workload).get(target) != port["port"]:
                yield f"{title(service)}: {title(workload)} has no port {target} = {port['port']}"


def selectors(objects: list[dict]) -> Iterator[str]:
    """Every workload, disruption budget and autoscaler refers to pods that exist."""
    for workload in of_kind(objects, "Deployment", "StatefulSet", "DaemonSet"):
        if not selected(workload, workload["spec"]["selector"]):
            yield f"{title(workload)} does not select its own pods"
        for other in pods(objects):
            if other is not workload and selected(other, workload["spec"]["selector"]):
                yield f"{title(workload)} also selects the pods of {title(other)}"
    for budget in of_kind(objects, "PodDisruptionBudget"):
        if not any(selected(w, budget["spec"]["selector"]) for w in pods(objects)):
            yield f"{title(budget)} selects no pods"
    for scaler in of_kind(objects, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        workload = named(objects, target["kind"], target["name"])
        if workload is None:
            yield f"{title(scaler)}: {target['kind']}/{target['name']} does not exist"
        elif "replicas" in workload["spec"]:
            yield f"{title(scaler)}: replicas of {title(workload)} are also set, each apply would reset them"
    for sts in of_kind(objects, "StatefulSet"):
        service = named(objects, "Service", sts["spec"]["serviceName"])
        if service is None or service["spec"].get("clusterIP") != "None":
            yield f"{title(sts)}: no headless Service {sts['spec']['serviceName']}"


def references(objects: list[dict]) -> Iterator[str]:
    """Every Secret, ConfigMap, claim, account, volume, key, mounted file and port that is named exists."""
    for workload in pods(objects):
        spec, where = template(workload)["spec"], title(workload)
        if named(objects, "ServiceAccount", spec["serviceAccountName"]) is None:
            yield f"{where}: no ServiceAccount {spec['serviceAccountName']}"
        volumes = {v["name"]: v for v in spec.get("volumes", [])}
        claims = {c["metadata"]["name"] for c in workload["spec"].get("volumeClaimTemplates", [])}
        for volume in volumes.values():
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            if claim and named(objects, "PersistentVolumeClaim", claim) is None:
                yield f"{where}: no PersistentVolumeClaim {claim}"
            config = volume.get("configMap", {}).get("name")
            if config and named(objects, "ConfigMap", config) is None:
                yield f"{where}: no ConfigMap {config}"
        for container in containers(workload):
            here = f"{where} container {container['name']}"
            mounts = {m["name"] for m in container.get("volumeMounts", [])}
            yield from (f"{here}: no volume {name}" for name in sorted(mounts - volumes.keys() - claims))
            yield from _keys(objects, container, here)
            yield from _files(objects, container, volumes, here)
            for probe in PROBES:
                port = container.get(probe, {}).get("httpGet", {}).get("port")
                if isinstance(port, str) and port not in port_numbers(workload):
                    yield f"{here}: {probe} uses the unknown port {port}"
        for name in (volumes.keys() | claims) - {
            m["name"] for c in containers(workload) for m in c.get("volumeMounts", [])
        }:
            yield f"{where}: volume {name} is not mounted"


def _keys(objects: list[dict], container: dict, here: str) -> Iterator[str]:
    for source in container.get("envFrom", []):
        if named(objects, "ConfigMap", source["configMapRef"]["name"]) is None:
            yield f"{here}: no ConfigMap {source['configMapRef']['name']}"
    for entry in container.get("env", []):
        ref = entry.get("valueFrom", {}).get("secretKeyRef")
        if ref:
            secret = named(objects, "Secret", ref["name"])
            if secret is None or ref["key"] not in secret.get("data", {}):
                yield f"{here}: no key {ref['key']} in Secret {ref['name']}"


def _files(objects: list[dict], container: dict, volumes: dict, here: str) -> Iterator[str]:
    probes = [container.get(p, {}).get("exec", {}) for p in PROBES]
    words = [w for part in [container, *probes] for w in part.get("command", []) + part.get("args", [])]
    mounts = {
        m["mountPath"]: volumes[m["name"]] for m in container.get("volumeMounts", []) if m["name"] in volumes
    }
    for word in words:
        folder, _, file = word.rpartition("/")
        if folder != "/scripts":
            continue
        name = mounts.get(folder, {}).get("configMap", {}).get("name")
        config = named(objects, "ConfigMap", name) if name else None
        if config is None:
            yield f"{here}: {word} is not mounted"
        elif file not in config["data"]:
            yield f"{here}: {file} is not in ConfigMap {name}"


def ingresses(objects: list[dict]) -> Iterator[str]:
    """Every Ingress leads to a port that exists; TLS Secrets exist or are issued; MLflow allows its host."""
    answers = {}
    for ingress in of_kind(objects, "Ingress"):
        where, spec = title(ingress), ingress["spec"]
        if "ingressClassName" not in spec:
            yield f"{where} has no class"
        if any("ingress.kubernetes.io/" in key for key in ingress["metadata"].get("annotations", {})):
            yield f"{where} uses ingress-nginx, which is retired"
        secured = {host for tls in spec.get("tls", []) for host in tls["hosts"]}
        for tls in spec.get("tls", []):
            issued = ISSUER in ingress["metadata"].get("annotations", {})
            if not issued and named(objects, "Secret", tls["secretName"]) is None:
                yield f"{where}: no Secret {tls['secretName']}"
        for rule in spec["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = named(objects, "Service", backend["name"])
                if service is None or backend["port"]["name"] not in {
                    p["name"] for p in service["spec"]["ports"]
                }:
                    yield f"{where}: no port {backend['port']['name']} of Service {backend['name']}"
                answers.setdefault(backend["name"], []).append(
                    ("https" if rule["host"] in secured else "http", rule["host"])
                )
    for workload in pods(objects):
        for container in containers(workload):
            env = environment(objects, container)
            hosts = env.get("MLFLOW_SERVER_ALLOWED_HOSTS", "").split(",")
            origins = env.get("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS", "").split(",")
            for scheme, host in answers.get("mlflow", []) if container["name"] == "mlflow" else []:
                if host not in hosts:
                    yield f"MLflow would answer 403 for the Ingress host {host}"
                if f"{scheme}://{host}" not in origins:
                    yield f"MLflow's UI would be refused at {scheme}://{host}"


def needed_paths(objects: list[dict]) -> set[tuple[str, str, int]]:
    """Return the needed connections: ``service:port`` or ``...HOST=service`` in settings and scripts."""
    ports = {
        (s["metadata"]["name"], p["port"]) for s in of_kind(objects, "Service") for p in s["spec"]["ports"]
    }
    needed = set()
    for workload in pods(objects):
        name = workload["metadata"]["name"]
        for container in containers(workload):
            settings = environment(objects, container)
            text = " ".join([*settings.values(), *container.get("command", []), *container.get("args", [])])
            for script in re.findall(r"/scripts/(\S+)", text):
                for config in of_kind(objects, "ConfigMap"):
                    text += " " + config["data"].get(script, "")
            hosts = {value for key, value in settings.items() if key.endswith("HOST")}
            needed |= {
                (name, s, p)
                for s, p in ports
                if s != name and (s in hosts or re.search(rf"\b{s}:{p}\b", text))
            }
    return needed


def network(objects: list[dict]) -> Iterator[str]:
    """The policies deny by default and allow the needed connections and no other, at both ends."""
    policies = of_kind(objects, "NetworkPolicy")
    if not any(
        p["spec"]["podSelector"] == {}
        and set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not p["spec"].get("ingress")
        and not p["spec"].get("egress")
        for p in policies
    ):
        yield "no policy denies by default"
    needed, outside = needed_paths(objects), set()
    allowed = {"egress": set(), "ingress": set()}
    resolves, challenged = set(), False
    for policy in policies:
        mine = [w for w in pods(objects) if selected(w, policy["spec"]["podSelector"])]
        if policy["spec"]["podSelector"].get("matchLabels", {}).keys() == {SOLVER}:
            challenged = True
        elif policy["spec"]["podSelector"] and not mine:
            yield f"{title(policy)} selects no pods"
        for direction, side in (("egress", "to"), ("ingress", "from")):
            for rule in policy["spec"].get(direction, []):
                if not rule.get(side) or not rule.get("ports"):
                    yield f"{title(policy)}: a rule of {direction} does not restrict peer or port"
                for peer, port, one in product(rule.get(side, []), rule.get("ports", []), mine):
                    if "ipBlock" in peer:
                        if port["port"] != 53 or not peer["ipBlock"]["cidr"].startswith("169.254."):
                            yield f"{title(policy)}: a way out of the cluster"
                        continue
                    if "namespaceSelector" in peer:
                        if direction == "egress" and port["port"] == 53:
                            resolves.add(one["metadata"]["name"])
                        elif direction == "ingress":
                            outside |= {(one["metadata"]["name"], p) for p in _ports(port, one)}
                        else:
                            yield f"{title(policy)}: a way out of the namespace"
                        continue
                    others = [w for w in pods(objects) if selected(w, peer["podSelector"])]
                    for other in others:
                        client, server = (one, other) if direction == "egress" else (other, one)
                        for number in _ports(port, server):
                            allowed[direction].add(
                                (client["metadata"]["name"], server["metadata"]["name"], number)
                            )
    for direction, paths in allowed.items():
        for client, server, port in sorted(needed - paths):
            yield f"{client} needs {server}:{port}, no {direction} rule allows it"
        for client, server, port in sorted(paths - needed):
            yield f"{client} may reach {server}:{port} ({direction}) and does not need it"
    for client in sorted({c for c, _, _ in needed} - resolves):
        yield f"{client} cannot resolve names"
    backends = set()
    for ingress in of_kind(objects, "Ingress"):
        if ISSUER in ingress["metadata"].get("annotations", {}) and not challenged:
            yield f"{title(ingress)}: the issuer's challenges are blocked"
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                service = named(objects, "Service", backend["name"])
                for p in service["spec"]["ports"] if service else []:
                    if p["name"] == backend["port"]["name"]:
                        backends.add((backend["name"], p["port"]))
    for name, port in sorted(backends - outside):
        yield f"the Ingress to {name}:{port} is blocked"
    for name, port in sorted(outside - backends):
        yield f"other namespaces may reach {name}:{port}, no Ingress leads to it"


def _ports(port: dict, workload: dict) -> list[int]:
    if isinstance(port["port"], int):
        return [port["port"]]
    return [number for name, number in port_numbers(workload).items() if name == port["port"]]


def conventions(objects: list[dict]) -> Iterator[str]:
    """Restricted pods without a token, limits, pinned images, probes, rolling updates, recommended labels."""
    for o in objects:
        labelled = [o] + ([template(o)] if o["kind"] in TEMPLATED else [])
        wanted = RECOMMENDED if o["kind"] in TEMPLATED | {"Service"} else RECOMMENDED - {"name", "component"}
        for part in labelled:
            missing = {f"app.kubernetes.io/{w}" for w in wanted} - part["metadata"].get("labels", {}).keys()
            if missing:
                yield f"{title(o)} lacks the labels {sorted(missing)}"
    for workload in pods(objects):
        spec, where = template(workload)["spec"], title(workload)
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{where} gets a service account token"
        if spec.get("enableServiceLinks") is not False:
            yield f"{where} gets the Services' addresses as variables, such as MLFLOW_PORT"
        pod = spec.get("securityContext", {})
        if not (pod.get("runAsNonRoot") and pod.get("runAsUser", 0) > 0):
            yield f"{where} may run as root"
        if pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{where} has no seccomp profile"
        for container in containers(workload):
            here, own = f"{where} container {container['name']}", container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities") != {
                "drop": ["ALL"]
            }:
                yield f"{here} keeps privileges"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{here} may write to its root file system"
            if container.get("imagePullPolicy") != "IfNotPresent":
                yield f"{here}: would pull an image that was loaded by hand"
            if not re.search(r":[^:/]+$", container["image"]) or container["image"].endswith(":latest"):
                yield f"{here}: the image {container['image']} is not pinned"
            for bound in ("requests", "limits"):
                if container.get("resources", {}).get(bound, {}).keys() < {"cpu", "memory"}:
                    yield f"{here} has no {bound}"
        if workload["kind"] in ("Deployment", "StatefulSet"):
            for container in spec["containers"]:
                for probe in PROBES:
                    if probe not in container:
                        yield f"{where} has no {probe}"
        if workload["kind"] == "Deployment":
            rolling = workload["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") == 0
            owns = any("persistentVolumeClaim" in v for v in spec.get("volumes", []))
            if owns and workload["spec"]["strategy"].get("type") != "Recreate":
                yield f"{where}: two pods would share one volume during an update"
            if not owns and not rolling:
                yield f"{where}: an update would refuse requests"
            if not owns:
                yield from _several(objects, workload)


def _several(objects: list[dict], workload: dict) -> Iterator[str]:
    """A Deployment of several pods refuses no request when a pod stops or a node is drained."""
    spec, where = template(workload)["spec"], title(workload)
    for container in spec["containers"]:
        sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if not sleep:
            yield f"{where}: a stopping pod would refuse requests"
        elif spec.get("terminationGracePeriodSeconds", 30) < sleep + 60:
            yield f"{where}: a stopping pod has less than a minute for requests in flight"
    spread = [c["labelSelector"] for c in spec.get("topologySpreadConstraints", [])]
    if not any(selected(workload, selector) for selector in spread):
        yield f"{where}: its pods are not spread over the nodes"
    budgets = [b["spec"]["selector"] for b in of_kind(objects, "PodDisruptionBudget")]
    if not any(selected(workload, selector) for selector in budgets):
        yield f"{where} has no disruption budget"


CHECKS: list[Callable[[list[dict]], Iterator[str]]] = [
    services,
    selectors,
    references,
    ingresses,
    network,
    conventions,
]


def problems(objects: list[dict]) -> list[str]:
    """Return all violations, as sentences."""
    return [problem for check in CHECKS for problem in check(objects)]
