#!/usr/bin/env python3
"""Launches with firmware on the simulated platform, with this host's KVM; the guests are measured, and not run.

firmware_test.py --coffer FILE --payloads DIR CASE...     ("list" prints the cases)
Exit status 0 all passed, 1 a case failed, 77 skipped.
"""
import hashlib
import json
import os
import struct
import subprocess
import sys
import time

from harness import PATIENCE, Skip, check, main
from sev_test import APPEND, MEMORY, Env, Paused, bzimage

CASES = {}
VALIDATOR = "/usr/bin/virt-qemu-sev-validate"
FOOTER, RESET, SECRET, HASHES = (bytes.fromhex(g) for g in (
    "de82b596b21ff745baeaa366c55a082d", "de71f7007e1acb4f890e68c77e2fb44e",
    "61b32e4c9b7dc34c8081127c90d3d294", "1f3755723b3a044b927b1da6efa8d454"))


def case(f):
    CASES[f.__name__] = f
    return f


def firmware(*blocks, length=8192, vector=b"\xeb\xfe"):
    """An image that does nothing, with a table of @blocks (GUID, data)."""
    table = b"".join(data + struct.pack("<H", len(data) + 18) + guid for guid, data in blocks)
    table += struct.pack("<H", len(table) + 18) + FOOTER
    return b"\x90" * (length - len(table) - 32) + table + bytes(16) + vector.ljust(16, b"\x90")


HAS = ((HASHES, struct.pack("<II", 0x31000, 0x400)), (SECRET, struct.pack("<II", 0x30000, 0x1000)),
       (RESET, struct.pack("<I", 0xfffff000)))


# From the reset vector to 32 bits, with the tables and code that follow; then, as edk2 writes a variable, a command
# and a byte to the chip below this image: 0x5a at offset 0x10 of a store of one block. Ends with status 42.
#	cli; lgdt %cs:0xff80; mov $0x11,%eax; mov %eax,%cr0; ljmp $8,$0xffffff40
# 1:	mov $0x10,%ax; mov %ax,%ds; movb $0x40,0xffffd010; movb $0x5a,0xffffd010; movb $0xff,0xffffd010
#	mov $42,%eax; out %eax,$0xf4; hlt
STORES = bytes.fromhex("fa 2e660f011680ff 66b811000000 0f22c0 66ea40ffffff0800").ljust(0x40, b"\x90") + bytes.fromhex(
    "66b81000 8ed8 c60510d0ffff40 c60510d0ffff5a c60510d0ffffff b82a000000 e7f4 f4").ljust(0x40, b"\x90") + bytes.fromhex(
    "170090ffffff").ljust(16, b"\0") + bytes(8) + bytes.fromhex("ffff0000009bcf00 ffff00000093cf00")


def storing_firmware():
    """An image of 8 KiB that begins at offset 0xff00 of its last segment."""
    image = b"\x90" * (8192 - 0x100) + STORES
    return image + b"\x90" * (8192 - 16 - len(image)) + bytes.fromhex("e90dff").ljust(16, b"\x90")


class FirmwareEnv(Env):
    """Env, whose guests start with firmware."""

    def __init__(self, coffer, payloads, tmp):
        super().__init__(coffer, payloads, tmp)
        self.firmware, self.kernel, self.cpus = "stage0", True, 1
        self.stage0 = os.path.join(os.path.dirname(coffer), "firmware/stage0.bin")

    def content(self):
        return ["-k", "kernel", "-i", "initrd", "-a", APPEND] if self.kernel else []

    def args(self, protect="sev", policy="1", session="vm", more=()):
        sev = f"policy={policy}"
        if session:
            sev += f",dh-cert={session}_godh.b64,session={session}_session.b64"
        return ["run", "--protect", protect, "--sev", sev, "--firmware", self.firmware, *self.content(), "-m", MEMORY,
                "-c", str(self.cpus), "--timeout", "60", *more]

    def plan(self, protect="sev"):
        p = self.own("run", "--print-plan", "--protect", protect, "--firmware", self.firmware, *self.content(), "-m",
                     MEMORY, "-c", str(self.cpus))
        check(p.returncode == 0, p.stderr)
        return json.loads(p.stdout)


def cpu():
    """Family, model and stepping of this host, as they are in /proc/cpuinfo."""
    lines = dict(line.split(":", 1) for line in open("/proc/cpuinfo", encoding="ascii").read().split("\n\n")[0]
                 .splitlines() if ":" in line)
    lines = {k.strip(): v.strip() for k, v in lines.items()}
    return [lines["cpu family"], lines["model"], lines["stepping"]]


def validate(e, g, policy, *more):
    """libvirt's validator, which shares no code with us: its exit status."""
    if not os.path.exists(VALIDATOR):
        raise Skip(f"no {VALIDATOR}: apt-get install libvirt-clients-qemu")
    image = e.stage0 if e.firmware == "stage0" else e.firmware
    content = ["--kernel", "kernel", "--initrd", "initrd", "--cmdline", APPEND] if e.kernel else []
    p = subprocess.run(["/usr/bin/python3", VALIDATOR, "--measurement", g.launch["measurement"], "--api-major",
                        str(g.launch["api_major"]), "--api-minor", str(g.launch["api_minor"]), "--build-id",
                        str(g.launch["build"]), "--policy", policy, "--firmware", image, "--tik", "vm_tik.bin", "--tek",
                        "vm_tek.bin", *content, *more], capture_output=True, text=True, timeout=PATIENCE, check=False)
    print(p.stdout + p.stderr)
    return p.returncode


def launched(e, protect, policy, cpus):
    """What was launched, and who agrees with it."""
    e.cpus = cpus
    e.session(policy)
    plan = e.plan(protect)
    family, model, stepping = cpu()
    mine = ["--cpu-family", family, "--cpu-model", model, "--cpu-stepping", stepping] if protect == "sev-es" else []
    with Paused(e, protect, policy) as g:
        size = os.path.getsize(e.stage0) if e.firmware == "stage0" else os.path.getsize(e.firmware)
        bytes_ = size + (176 if e.kernel else 0) + (4096 * cpus if protect == "sev-es" else 0)
        check(g.launch["plan_bytes"] == bytes_ == plan["bytes"], (g.launch["plan_bytes"], plan["bytes"], bytes_))
        check(g.launch["plan_digest"] in [plan["plan_digest"], *plan.get("plan_digests", {}).values()], g.launch)
        check(g.launch["firmware"] == ("stage0" if e.firmware == "stage0" else "file"), g.launch["firmware"])
        theirs = [*mine, "--num-cpus", str(cpus)] if mine else []
        check(validate(e, g, policy, *theirs) == 0, "the validator refuses it")
        verify = ["owner", "verify", "--tik", "vm_tik.bin", "--launch", "launch.json", "--firmware", e.firmware,
                  *e.content(), *mine, *(["--cpus", str(cpus)] if mine else [])]
        p = e.own(*verify)
        check(p.returncode == 0 and "VERIFIED" in p.stdout, p.stderr)
        # One byte of the last input that is measured: everybody sees it.
        name = "initrd" if e.kernel else e.firmware
        data = bytearray(open(name, "rb").read())
        data[7] ^= 1
        e.put(name, data)
        check(validate(e, g, policy, *theirs) == 1, "the validator accepts another input")
        check(e.own(*verify).returncode == 1, "it is accepted")
        data[7] ^= 1
        e.put(name, data)


@case
def stage0_sev(e):
    launched(e, "sev", "1", 1)


@case
def stage0_sev_es_one_cpu(e):
    launched(e, "sev-es", "5", 1)


@case
def stage0_sev_es_four_cpus(e):
    launched(e, "sev-es", "5", 4)


@case
def an_image_without_a_kernel(e):
    e.put("fw", firmware())
    e.firmware, e.kernel = "./fw", False
    launched(e, "sev", "1", 1)


@case
def the_secret_table_of_the_validator_is_taken(e):
    e.session("1")
    with Paused(e) as g:
        check(g.launch["secret"]["format"] == "table" and g.launch["secret"]["size"] == 4096, g.launch["secret"])
        status = validate(e, g, "1", "--inject-secret", "luks-key:secret", "--secret-header", "header",
                          "--secret-payload", "payload")
        check(status == 0, "validator")
        p = g.ctl("secret", "header", "payload")
        check(p.returncode == 0, p.stderr)
        check(json.loads(g.ctl("measurement").stdout)["secret"]["used"] > 0, "not accounted")


@case
def firmware_that_a_launch_needs_more_of(e):
    """Refused by name, and before the security processor is asked for anything."""
    run = e.args(session=None)
    at = run.index("--firmware") + 1

    def refused(says, image, status=66, args=run):
        e.put("fw", image)
        args[at] = "./fw"
        if os.path.exists("trace"):
            os.unlink("trace")
        e.refused(status, says, *args, sim=("--trace", "trace"))
        calls = open("trace", encoding="ascii").read() if os.path.exists("trace") else ""
        check("LAUNCH" not in calls and "INIT" not in calls and "KVM_CREATE_VM" not in calls, calls)

    refused("announces no area for hashes", firmware(*HAS[1:]))
    refused("announces no area for hashes", firmware((HASHES, bytes(8)), *HAS[1:]))
    refused("where this guest has no RAM", firmware((HASHES, struct.pack("<II", 0x10000000, 0x400))))
    refused("where this guest has no RAM", firmware(HAS[0], (SECRET, struct.pack("<II", 0x600000, 0x1000))))
    es = e.args("sev-es", "5", session=None)
    es[es.index("-c") + 1] = "2"
    refused("announces no reset block", firmware(*HAS[:2]), args=es)


@case
def images_that_are_none(e):
    def refused(says, image, status=66, more=()):
        e.put("fw", image)
        p = e.own("run", "--firmware", "./fw", "-m", MEMORY, *more)
        check(p.returncode == status, f"{says}: exit status {p.returncode}: {p.stderr}")
        check(says in p.stderr and "\n" not in p.stderr.strip(), p.stderr)

    refused("is empty", b"")
    refused("no multiple of 4096", firmware()[1:])
    refused("8196 KiB; there is room for 8192", firmware(length=(8 << 20) + 4096))
    refused("nothing at its last 16 bytes", firmware()[:-16] + bytes(16))
    refused("nothing at its last 16 bytes", b"\xff" * 8192)
    lie = bytearray(firmware(*HAS))
    lie[-50:-48] = b"\xff\xff"
    refused("its length lies", bytes(lie))
    good = firmware(*HAS)
    refused("does not exist", good, more=["--nvram", "vars"])
    e.put("vars", bytes(4095))
    refused("no multiple of 4096", good, more=["--nvram", "vars"])
    e.put("vars", b"")
    refused("is empty", good, more=["--nvram", "vars"])
    e.put("vars", bytes(8 << 20))
    refused("there is room for 8184", good, more=["--nvram", "vars"])
    e.put("vars", struct.pack("<32xQ4s", 0x84000, b"_FVH").ljust(4096, b"\0"))
    refused("its header says 540672", good, more=["--nvram", "vars"])
    e.put("vars", struct.pack("<32xQ4s", 4096, b"_FVH").ljust(4096, b"\0"))
    refused("is of another edition than './fw'", good, more=["--nvram", "vars"])
    p = e.own("run", "--firmware", "./no-such-file", "-m", MEMORY)
    check(p.returncode == 66 and "does not exist" in p.stderr, p.stderr)
    p = e.own("run", "--firmware", "none", "--nvram", "vars", "-k", "kernel")
    check(p.returncode == 64 and "--nvram: is for" in p.stderr, p.stderr)
    p = e.own("run", "--firmware", "stage0", "-m", MEMORY)
    check(p.returncode == 64 and "--kernel: is needed" in p.stderr, p.stderr)
    p = e.own("run", "--firmware", "./fw", "-i", "initrd", "-m", MEMORY)
    check(p.returncode == 64 and "--initrd: is for" in p.stderr, p.stderr)


@case
def a_store_of_variables_has_one_user(e):
    e.put("fw", firmware(*HAS))
    e.put("vars", bytes(8192))
    args = [e.coffer, "run", "--firmware", "./fw", "--nvram", "vars", "-m", MEMORY, "--timeout", "60"]
    with subprocess.Popen([*args, "-v"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as p:
        try:
            while "guest: running" not in (line := p.stderr.readline()):
                check(line, "it ended")
            q = e.own(*args[1:])
            check(q.returncode == 66 and "in use by another guest" in q.stderr, q.stderr)
        finally:
            p.kill()
    if os.geteuid() != 0:
        os.chmod("vars", 0o400)
        q = e.own(*args[1:])
        check(q.returncode == 77 and "variables are written there" in q.stderr, q.stderr)


@case
def what_firmware_stores_is_in_the_file(e):
    e.put("fw", storing_firmware())
    e.put("vars", bytes(4096))
    p = e.own("run", "--firmware", "./fw", "--nvram", "vars", "-m", MEMORY, "--debug-exit", "--timeout", "20")
    check(p.returncode == 42, f"status {p.returncode}: {p.stderr}")
    check(open("vars", "rb").read() == bytes(16) + b"\x5a" + bytes(4079), "the byte is not there")


@case
def the_digest_follows_the_inputs(e):
    first = e.plan()["plan_digest"]
    check(first == e.plan()["plan_digest"], "it changes by itself")
    e.put("kernel", bzimage(b"\xf4"))
    check(first != e.plan()["plan_digest"], "the kernel is not in it")
    e.put("kernel", bzimage())
    # The whole by hand: image, then the table of three hashes.
    sha = lambda b: hashlib.sha256(b).digest()  # noqa: E731
    guids = [bytes.fromhex(g) for g in ("d82dd09720bd944caa78e7714d36ab2a", "31f7ba442f3ad74b9af141e29169781d",
                                        "3794e74dd2ab7f42b835d5b172d2045b")]
    hashes = [sha(APPEND.encode() + b"\0"), sha(open("initrd", "rb").read()), sha(open("kernel", "rb").read())]
    table = bytes.fromhex("06d63894224fc94cb479a793d411fd21") + struct.pack("<H", 168)
    for guid, value in zip(guids, hashes):
        table += guid + struct.pack("<H", 50) + value
    check(sha(open(e.stage0, "rb").read() + table + bytes(8)).hex() == first, first)


@case
def a_warm_launch_hashes_nothing(e):
    """Of a file that did not change; and what the guest or --expect has refused is hashed anew."""
    if subprocess.run(["stat", "-f", "-c", "%T", "."], capture_output=True, check=True).stdout.strip() == b"tmpfs":
        raise Skip("of files in tmpfs no hash is kept: set TMPDIR")
    ends = bytes.fromhex("b02a e6f4 f4")  # mov $42,%al; out %al,$0xf4; hlt
    refuses = bytes.fromhex("66b828003053 ba0404 66ef f4")  # mov $0x53300028,%eax; mov $0x404,%dx; out %eax,%dx; hlt
    e.firmware = "fw"
    e.put("fw", firmware(*HAS, vector=ends))
    e.put("initrd", os.urandom(1 << 20))
    large, small = 1 << 20, os.path.getsize("kernel")
    time.sleep(2.1)

    def launch(status, hashed, known, cache="cache"):
        p = e.sim(*e.args(session=None, more=["--debug-exit", "--print-timing", "--hash-cache", cache]))
        check(p.returncode == status, f"status {p.returncode}, not {status}: {p.stderr}")
        check(f"launch: kernel and initrd: {hashed} bytes hashed, {known} known before" in p.stderr, p.stderr)

    launch(42, small + large, 0)
    launch(42, small, large)
    launch(42, small + large, 0, "none")
    p = e.sim(*e.args(session=None, more=["--hash-cache", "cache", "--expect", "00" * 32]))
    check(p.returncode == 66 and "--expect" in p.stderr, p.stderr)
    launch(42, small + large, 0)
    e.put("fw", firmware(*HAS, vector=refuses))
    launch(80, small, large)
    launch(80, small + large, 0)
    e.put("fw", firmware(*HAS, vector=ends))
    launch(42, small + large, 0)
    launch(42, small, large)
    e.put("initrd", os.urandom(1 << 20))
    launch(42, small + large, 0)
    e.refused(66, "--hash-cache: 'no/such'", *e.args(session=None, more=["--hash-cache", "no/such"]))


if __name__ == "__main__":
    sys.exit(main(CASES, FirmwareEnv))
