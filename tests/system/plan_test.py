#!/usr/bin/env python3
"""What a plan says, against a launch of it: on this host's /dev/kvm, under the simulated security processor.

plan_test.py --coffer FILE CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped: no usable /dev/kvm, or too little memory can be locked.

The guest is a bzImage of a few instructions at its 32-bit entry, so that a
host's usual limit of locked memory (8 MiB) is enough.
"""
import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time

from harness import PATIENCE, check, monitor_of, usable_kvm

RAM = 4 << 20
CASES = {"sev": ("sev", "0x1"), "sev_es": ("sev-es", "0x5")}


def bzimage():
    """Linux, boot.rst: a setup header, and code that writes 0 to the debug-exit port."""
    code = bytes([0xB0, 0, 0x66, 0xBA, 0xF4, 0, 0xEE, 0xF4, 0xEB, 0xFD]).ljust(0x2000, b"\0")
    head = bytearray(1024)
    for offset, kind, value in (
            (0x1F1, "B", 1), (0x1F4, "I", len(code) // 16), (0x1FE, "H", 0xAA55), (0x200, "H", 0x66EB),
            (0x206, "H", 0x20F), (0x211, "B", 1), (0x214, "I", 0x100000), (0x22C, "I", 0x7FFFFFFF),
            (0x230, "I", 0x1000), (0x234, "B", 1), (0x236, "H", 1), (0x238, "I", 2047),
            (0x258, "Q", 0x100000), (0x260, "I", 0x10000)):
        struct.pack_into("<" + kind, head, offset, value)
    head[0x202:0x206] = b"HdrS"
    return bytes(head) + code


def locked_limit(pid):
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        return int(next(line for line in f if line.startswith("Max locked memory")).split()[3])


class Launch:
    """A session, and a guest that waits behind its measurement."""

    def __init__(self, coffer, protect, policy):
        self.coffer, self.protect = coffer, protect
        for name, content in (("kernel", bzimage()), ("other", bzimage()[:-1] + b"x"), ("initrd", b"an initrd")):
            with open(name, "wb") as f:
                f.write(content)
        self.inputs = ["-k", "kernel", "-i", "initrd", "-a", "quiet", "-m", str(RAM)]
        sim = [coffer, "sim", "--state", "platform"]
        subprocess.run([*sim, "--", coffer, "sev", "export", "--full", "chain"], check=True, stderr=subprocess.DEVNULL)
        self.call("owner", "session", "--simulated", "chain", policy)
        self.process = subprocess.Popen(
            [*sim, "--scramble", "--trace", "trace", "--", coffer, "run", "--protect", protect, "--sev",
             f"policy={policy},dh-cert=vm_godh.b64,session=vm_session.b64", "--firmware", "none", "--paused", "--api",
             os.path.abspath("api"), "--debug-exit", "--console", "none", *self.inputs],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.wait()

    def wait(self):
        end = time.monotonic() + PATIENCE
        while True:
            p = subprocess.run([self.coffer, "ctl", "api", "measurement"], capture_output=True)
            if p.returncode == 0 and json.loads(p.stdout)["state"] == "measured":
                break
            if self.process.poll() is not None:
                raise AssertionError(f"ended: {self.process.stderr.read().decode()}")
            check(time.monotonic() < end, f"no measurement: {p.stderr.decode()}")
            time.sleep(0.1)
        with open("launch", "wb") as f:
            f.write(p.stdout)
        self.report = json.loads(p.stdout)

    def call(self, *args):
        return subprocess.run([self.coffer, *args], check=True, capture_output=True).stdout.decode()

    def refusal(self, *args):
        p = subprocess.run([self.coffer, *args], capture_output=True)
        check(p.returncode == 64 and not p.stdout, p)
        return p.stderr.decode()

    def verify(self, inputs, *more):
        return subprocess.run([self.coffer, "owner", "verify", "--tik", "vm_tik.bin", "--launch", "launch",
                               "--firmware", "none", *inputs, *more], capture_output=True)

    def refused(self, says, *instead):
        """With one input changed: the option named by instead[0]."""
        at = self.inputs.index(instead[0]) if instead[0] in self.inputs else len(self.inputs)
        p = self.verify(self.inputs[:at] + list(instead) + self.inputs[at + 2:])
        check(p.returncode == 1 and says in p.stderr.decode() and not p.stdout, f"{instead}: {p}")


def digests_agree(v):
    """The monitor's, --print-plan's and the owner's."""
    direct = ["--firmware", "none", "--protect", v.protect, *v.inputs]
    plan = json.loads(v.call("run", "--print-plan", *direct))
    measured = v.call("owner", "measure", "--firmware", "none", *(["--es"] if v.protect == "sev-es" else []),
                      *v.inputs).strip()
    check(v.report["plan_digest"] == plan["plan_digest"] == measured, (v.report, plan["plan_digest"], measured))
    check(v.report["plan_bytes"] == plan["bytes"], plan["bytes"])
    check(v.report["covered"] == plan["covered"], plan["covered"])
    check(v.report["entries"] == [{"name": e["name"], "sha256": e["sha256"]} for e in plan["entries"]],
          plan["entries"])


def the_cost_is_as_planned(v):
    plan = json.loads(v.call("plan", "--json", "--firmware", "none", "--protect", v.protect, *v.inputs))
    with open("trace", encoding="utf-8") as f:
        trace = [json.loads(line) for line in f]
    pinned = sum(t["len"] for t in trace if t.get("command") == "REG_REGION")
    updated = sum(t["len"] for t in trace if t.get("command") == "LAUNCH_UPDATE_DATA")
    limit = locked_limit(monitor_of(v.process.pid))
    print(f"pinned {pinned}, locked memory {limit}, data launched {updated} of {plan['measured']} measured")
    check(pinned == plan["pinned"] == RAM, plan)
    check(plan["memlock_need"] == limit, plan)
    check(plan["memlock_set"] > limit, plan)
    # The page of registers is launched by a command of its own.
    check(updated == plan["measured"] - (4096 if v.protect == "sev-es" else 0), plan)


def one_file_is_for_all(v):
    """--config FILE, with devices in it, which are not in the plan."""
    option = dict(zip(v.inputs[::2], v.inputs[1::2]))
    with open("vm.json", "w", encoding="utf-8") as f:
        json.dump({"protect": v.protect, "firmware": "none", "kernel": option["-k"], "initrd": option["-i"],
                   "append": option["-a"], "memory": option["-m"], "disk": ["a", "b"], "rng": True,
                   "net": ["user", "tap=tap0"], "vsock": "cid=9,path=vsock"}, f)
    plan = json.loads(v.call("run", "--print-plan", "--config", "vm.json"))
    measured = v.call("owner", "measure", "--config", "vm.json").strip()
    check(v.report["plan_digest"] == plan["plan_digest"] == measured, (plan["plan_digest"], measured))
    p = v.call("owner", "verify", "--tik", "vm_tik.bin", "--launch", "launch", "--config", "vm.json")
    check(p.startswith("VERIFIED\n"), p)


def the_default_is_stage0(v):
    """For who starts a protected guest and for its owner, who type the same options."""
    plan, named = (json.loads(v.call("run", "--print-plan", "--protect", v.protect, *more, *v.inputs))
                   for more in ([], ["--firmware", "stage0"]))
    check(plan == named and plan["firmware"] == "stage0", (plan, named))
    check([e["name"] for e in plan["entries"]][:2] == ["firmware", "hashes"], plan["entries"])
    check(v.call("plan", "--json", "--protect", v.protect, *v.inputs) ==
          v.call("plan", "--json", "--protect", v.protect, "--firmware", "stage0", *v.inputs), "the cost differs")
    if v.protect == "sev":
        measured = v.call("owner", "measure", *v.inputs).strip()
        check(plan["plan_digest"] == measured, (plan["plan_digest"], measured))
        p = v.refusal("run", "--print-plan", "--protect", v.protect, "--memory", "64M")
        check("--kernel: is needed" in p, p)


def private_bytes(pid, ram):
    """Memory of a process that is its alone, without the guest's: the mapping of at least its size."""
    total = guest = size = 0
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as f:
        for line in f:
            word = line.split()
            if "-" in word[0]:
                low, high = (int(x, 16) for x in word[0].split("-"))
                size = high - low
            elif word[0] in ("Private_Dirty:", "Private_Clean:", "Private_Hugetlb:"):
                total += int(word[1]) * 1024
                guest += int(word[1]) * 1024 if size == ram else 0
    return total - guest, guest


def the_processes_stay_within_the_plan(v):
    """Of a release build: sanitizers have memory of their own."""
    plan = json.loads(v.call("plan", "--json", "--firmware", "none", "--protect", v.protect, *v.inputs))
    monitor = monitor_of(v.process.pid)
    with open(f"/proc/{monitor}/stat", encoding="ascii") as f:
        supervisor = int(f.read().rsplit(")", 1)[1].split()[1])
    try:
        own, ram = private_bytes(monitor, RAM)
        own += private_bytes(supervisor, RAM)[0]
    except PermissionError:
        print("private memory: not looked at, since only root may see that of the monitor")
        return
    print(f"private memory of both processes {own} of {plan['monitor'] + plan['devices']}, guest RAM {ram} of "
          f"{plan['ram']}")
    check(ram <= plan["ram"], plan)
    if not os.environ.get("COFFER_SANITIZED"):
        check(own <= plan["monitor"] + plan["devices"], plan)


def other_inputs_are_refused(v):
    v.refused("differ: kernel", "-k", "other")
    v.refused("differ: cmdline", "-a", "loud")
    v.refused("differ: ", "-m", "6M")
    with open("initrd", "r+b") as f:
        f.write(b"A")
        f.flush()
        v.refused("differ: initrd", "-i", "initrd")
        f.seek(0)
        f.write(b"a")
    if v.protect == "sev":
        v.refused("it gave the guest 1 CPU", "-c", "2")
    v.refused("does not bind it", "--require", "placement")


def run(coffer, protect, policy):
    v = Launch(coffer, protect, policy)
    try:
        digests_agree(v)
        one_file_is_for_all(v)
        the_default_is_stage0(v)
        the_cost_is_as_planned(v)
        the_processes_stay_within_the_plan(v)
        other_inputs_are_refused(v)
        p = v.verify(v.inputs, "--require", "vcpus,memory,kernel,initrd,cmdline")
        check(p.returncode == 0 and p.stdout.startswith(b"VERIFIED\n"), p)
        v.call("ctl", "api", "resume")
        check(v.process.wait(PATIENCE) == 0, f"the guest: {v.process.stderr.read().decode()}")
    finally:
        v.process.kill()
        v.process.wait()


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--coffer")
    a.add_argument("case", nargs="+")
    a = a.parse_args()
    if a.case == ["list"]:
        print("\n".join(CASES))
        return 0
    if not usable_kvm():
        return 77
    limit = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    if limit not in (resource.RLIM_INFINITY, -1) and limit < 2 * RAM:
        print(f"SKIPPED: RLIMIT_MEMLOCK: no more than {limit} bytes can be locked, the guest needs {2 * RAM}")
        return 77
    coffer, failed = os.path.abspath(a.coffer), 0
    for name in a.case:
        with tempfile.TemporaryDirectory(prefix="coffer-test-") as tmp:
            os.chdir(tmp)
            try:
                run(coffer, *CASES[name])
                print(f"ok {name}")
            except (AssertionError, subprocess.SubprocessError, OSError) as x:
                print(f"FAILED {name}: {x}")
                failed = 1
            os.chdir("/")
    return failed


if __name__ == "__main__":
    sys.exit(main())
