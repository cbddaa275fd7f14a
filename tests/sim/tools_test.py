#!/usr/bin/env python3
"""Other projects' tools on the simulated SEV host: Debian's QEMU, libvirt's validator of measurements.

tools_test.py list                    names of the cases
tools_test.py --build DIR CASE...     run them; 77: skipped, and why
"""
import base64
import json
import os
import re
import subprocess
import sys
import time
import uuid

from qmp import Qmp
from sim_env import PATIENCE, Skip, check, Client, launch, secret, main


def qemu_launch(env, *options, policy=1, sev_more="", inputs=()):
    """Debian's QEMU launches the firmware in "fw" and what @options add; libvirt's validator
    accepts the measurement for that firmware and @inputs. What the validator says."""
    validator = "/usr/bin/virt-qemu-sev-validate"
    for tool in ("/usr/bin/qemu-system-x86_64", validator):
        if not os.path.exists(tool):
            raise Skip(f"no {tool}")
    c = Client(env, *env.state)
    env.session(c, policy)
    c.end()
    sev = (f"sev-guest,id=sev0,cbitpos=0,reduced-phys-bits=1,policy={policy:#x},"
           "dh-cert-file=vm_godh.b64,session-file=vm_session.b64" + sev_more)
    with open(env.path("qemu.log"), "w+", encoding="utf-8") as log:
        p = subprocess.Popen(
            [env.sim, *env.state, "--scramble", "--trace", "qemu.json", "--",
             "/usr/bin/qemu-system-x86_64", "-accel", "kvm", "-machine", "q35,confidential-guest-support=sev0", "-m", "64", "-nodefaults",
             "-display", "none", "-S", "-qmp", "unix:qmp,server=on,wait=off", "-object", sev,
             "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=fw", *options],
            cwd=env.tmp, stderr=log)
        try:
            qmp = Qmp(env.path("qmp"), PATIENCE)
            info = qmp.ask("query-sev")
            check(info["state"] == "launch-secret", f"{info}")
            data = qmp.ask("query-sev-launch-measure")["data"]
            qmp.ask("cont")
            check(qmp.ask("query-sev")["state"] == "running", "LAUNCH_FINISH")
            qmp.ask("quit")
            check(p.wait(timeout=PATIENCE) == 0, f"QEMU: {p.returncode}")
        finally:
            p.kill()
    return env.good("/usr/bin/python3", validator, "--measurement", data, "--api-major",
                    str(info["api-major"]), "--api-minor", str(info["api-minor"]), "--build-id",
                    str(info["build-id"]), "--policy", str(info["policy"]), "--firmware", "fw",
                    "--tik", "vm_tik.bin", "--tek", "vm_tek.bin", *inputs).strip()


def qemu(env):
    """Debian's QEMU launches a guest, and libvirt's validator accepts it"""
    env.write("fw", os.urandom(262144))
    print(f"qemu: the validator says {qemu_launch(env)}")


def fake_kernel():
    """What QEMU and coffer take for a bzImage; nobody runs it"""
    k = bytearray(os.urandom(65536))
    k[0x1f1:0x268] = bytes(0x268 - 0x1f1)
    k[0x1f1] = 4
    k[0x1fe:0x200] = b"\x55\xaa"
    k[0x201:0x206] = b"\x6aHdrS"
    k[0x206:0x208] = (0x20f).to_bytes(2, "little")
    k[0x211] = 1
    k[0x1f4:0x1f8] = ((65536 - 5 * 512) // 16).to_bytes(4, "little")
    k[0x22c:0x230] = (0x7fffffff).to_bytes(4, "little")
    k[0x230:0x234] = (0x200000).to_bytes(4, "little")
    k[0x236] = 1  # XLF_KERNEL_64
    k[0x238:0x23c] = (2047).to_bytes(4, "little")
    k[0x258:0x260] = (0x1000000).to_bytes(8, "little")
    k[0x260:0x264] = (0x100000).to_bytes(4, "little")
    return bytes(k)


def digest_in(env, trace):
    """What the simulated processor has measured; None before it has."""
    try:
        with open(env.path(trace), encoding="ascii") as f:
            lines = f.read().rpartition("\n")[0].split("\n")
    except FileNotFoundError:
        return None
    return next((e["digest"] for e in map(json.loads, filter(None, lines)) if "digest" in e), None)


def coffer_digest(env, policy, *options):
    """What the simulated processor measures of a launch by coffer, which does not run."""
    for name in ("coffer.json", "api"):  # of one before
        if os.path.exists(env.path(name)):
            os.unlink(env.path(name))
    with open(env.path("coffer.log"), "w+", encoding="utf-8") as log:
        p = subprocess.Popen(
            [env.sim, *env.state, "--scramble", "--trace", "coffer.json", "--", env.coffer, "run", "--protect",
             "sev-es" if policy & 4 else "sev", "--sev",
             f"policy={policy},dh-cert=vm_godh.b64,session=vm_session.b64", "--paused", "--api", env.path("api"), "-m", "6M", "--console", "none", *options], cwd=env.tmp, stderr=log, stdin=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + PATIENCE
            while not (digest := digest_in(env, "coffer.json")) and p.poll() is None and \
                    time.monotonic() < deadline:
                time.sleep(0.05)
        finally:
            p.kill()
            p.wait()
        log.seek(0)
        check(digest, f"coffer launched nothing: {log.read()}")
    return digest


def compare_launches(env, policy=1, cpus=1):
    """stage0 with a kernel, launched by QEMU and by coffer, and as the owner's tool sees it: one digest."""
    with open(os.path.join(env.build, "firmware/stage0.bin"), "rb") as f:
        env.write("fw", f.read())
    env.write("kernel", fake_kernel())
    env.write("initrd", os.urandom(5000))
    line = "console=ttyS0 quiet"
    cpu = cpu_model() if policy & 4 else {}
    model = [w for name, n in cpu.items() for w in (f"--cpu-{name}", n)]
    said = qemu_launch(
        env, "-kernel", "kernel", "-initrd", "initrd", "-append", line, "-smp", str(cpus),
        "-cpu", ",".join(["qemu64", *map("=".join, cpu.items())]),
        policy=policy, sev_more=",kernel-hashes=on",
        inputs=("--kernel", "kernel", "--initrd", "initrd", "--cmdline", line,
                *(["--num-cpus", str(cpus), *model] if model else [])))
    ours = ["--firmware", "stage0", "-k", "kernel", "-i", "initrd", "-a", line, "-c", str(cpus)]
    digests = {"QEMU": digest_in(env, "qemu.json"), "coffer": coffer_digest(env, policy, *ours),
               "owner measure": env.good(env.owner, "measure", *ours, *model, *(["--es"] if model else [])).split()[0]}
    print(f"the validator says {said}")
    for who, digest in digests.items():
        print(f"policy {policy}, {cpus} CPUs: {digest} by {who}")
    check(len(set(digests.values())) == 1, "they differ")


def cpu_model():
    """Of this host, whose vCPUs have its signature in RDX."""
    with open("/proc/cpuinfo", encoding="ascii") as f:
        return dict(re.findall(r"^(?:cpu )?(family|model|stepping)\s*: (\d+)$", f.read(), re.M))


def qemu_stage0(env):
    """QEMU puts its hashes where stage0's footer says: libvirt's validator, coffer and the owner's tool agree"""
    compare_launches(env)


def qemu_stage0_es(env):
    """so they do on the registers of SEV-ES, where QEMU, like coffer, sets what is measured"""
    for cpus in (1, 4):
        compare_launches(env, policy=5, cpus=cpus)


def libvirt_packet(env):
    """the packet of libvirt's validator goes into LAUNCH_SECRET, once, and holds the secret"""
    validator = "/usr/bin/virt-qemu-sev-validate"
    if not os.path.exists(validator):
        raise Skip(f"no {validator}")
    c = Client(env, *env.state)
    report = launch(env, c)
    env.write("secret", b"hunter2-hunter2")
    env.good("/usr/bin/python3", validator, "--measurement", report[-1], "--api-major", "1", "--api-minor", "55",
             "--build-id", "24", "--policy", "1", "--firmware", "fw", "--tik", "vm_tik.bin", "--tek", "vm_tek.bin",
             "--inject-secret", "luks-key:secret", "--secret-header", "hdr.b64", "--secret-payload", "data.b64")
    for file in ("hdr", "data"):
        with open(env.path(f"{file}.b64"), "rb") as f:
            env.write(file, base64.b64decode(f.read()))
    with open(env.path("data"), "rb") as f:
        data = f.read()
    env.write("changed", data[:-1] + bytes([data[-1] ^ 1]))
    c.fails("secret 131072 hdr changed", "EIO", 0x0B)
    c.ok("secret 131072 hdr data", "finish")
    table = bytes.fromhex(c.ok(f"peek 131072 {len(data)}"))
    # Linux, Documentation/security/secrets/coco.rst: the table's GUID and length, the entry's, the secret
    check(table[:16] == uuid.UUID("1e74f542-71dd-4d66-963e-ef4287ff173b").bytes_le, table.hex())
    check(table[20:36] == uuid.UUID("736869e5-84f0-4973-92ec-06879ce3da0b").bytes_le, table.hex())
    check(table[40:].startswith(b"hunter2-hunter2"), table.hex())
    c.end()
    print(f"libvirt_packet: {len(data)} bytes passed the MAC")


if __name__ == "__main__":
    sys.exit(main((qemu, qemu_stage0, qemu_stage0_es, libvirt_packet)))
