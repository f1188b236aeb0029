"""Validates the Job of docs/scale-out.md against the schemas of Kubernetes, and runs its script on shards of several kinds."""
import base64
import copy
import os
import pathlib
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

OLDEST = "1.33"  # where backoffLimitPerIndex is stable

config_map, job = yaml.safe_load_all(pathlib.Path(sys.argv[1]).read_text())
for version in OLDEST, kubernetes_validate.latest_version():
    for document in config_map, job:
        kubernetes_validate.validate(document, version, strict=True)
    wrong = copy.deepcopy(job)
    wrong["spec"]["completionMod"] = "Indexed"
    try:
        kubernetes_validate.validate(wrong, version, strict=True)
        sys.exit("the schema accepts anything")
    except kubernetes_validate.ValidationError:
        pass

# What schemas do not check.
spec = job["spec"]["template"]["spec"]
(container,) = spec["containers"]
assert spec["restartPolicy"] == "Never", "podFailurePolicy requires it"
for rule in job["spec"]["podFailurePolicy"]["rules"]:
    assert rule.get("onExitCodes", {}).get("containerName", "batch") == container["name"]
    assert 0 not in rule.get("onExitCodes", {}).get("values", [])
assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}


def action(code):
    """What the policy does after an exit code."""
    for rule in job["spec"]["podFailurePolicy"]["rules"]:
        if code in rule.get("onExitCodes", {}).get("values", []):
            return rule["action"]
    return "Count"


module = base64.b64decode(config_map["binaryData"]["add.wasm"])
assert module == pathlib.Path("fixtures/add.wasm").read_bytes()
GOOD, BAD = b"[1,2]\n[3,4]\n", b"[1,2]\n[3]\n"
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    (folder / "add.wasm").write_bytes(module)
    (folder / "broken.wasm").write_bytes(module[:-1])
    (folder / "in/shard-00000.ndjson").write_bytes(GOOD)
    (folder / "in/shard-00011.ndjson").write_bytes(BAD)

    def run(index, **changes):
        """Runs the script of a pod. Returns its exit code and the shard that it wrote."""
        variables = {one["name"]: one["value"] for one in container["env"]}
        assert variables == {"MODULE": "/module/add.wasm", "IN": "/data/in", "OUT": "/data/out"}
        mounted = {"MODULE": folder / "add.wasm", "IN": folder / "in", "OUT": folder / "out"}
        variables = {"PATH": os.environ["PATH"], "JOB_COMPLETION_INDEX": str(index), **mounted, **changes}
        code = subprocess.run(container["command"], env=variables, stderr=subprocess.DEVNULL).returncode
        shard = folder / f"out/shard-{index:05}.ndjson"
        written = shard.read_text() if shard.exists() else None
        shard.unlink(missing_ok=True)
        assert not any((folder / "out").iterdir()), "an incomplete shard remains"
        return code, written

    assert run(0) == (0, "3\n7\n")
    code, written = run(11)
    assert (code, action(code)) == (123, "FailIndex") and written.splitlines()[0] == "3" and len(written.splitlines()) == 2
    code, written = run(0, MODULE=folder / "broken.wasm")
    assert (code, action(code), written) == (126, "FailJob", None)
    code, written = run(0, MODULE=folder / "missing.wasm")
    assert (code, action(code), written) == (127, "FailJob", None)
    no_folder = {"OUT": folder / "no such folder"}
    for code, written in run(5), run(0, **no_folder):
        assert (code, action(code), written) == (125, "Count", None)
print("the job is valid")
