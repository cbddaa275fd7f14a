#!/usr/bin/python3
"""tests/owner/validator.py COFFER_OWNER OPEN_PACKET STAGE0

The owner's tools against those of libvirt (virt-qemu-sev-validate of Debian's
libvirt-clients-qemu, a program that shares no code with us): each accepts what
the other computes, refuses a changed byte, and opens the other's secrets. No
SEV and no guest is needed. Exit status 77 where libvirt's tool is not there.
"""
import os
import struct
import subprocess
import sys
import tempfile
import uuid

VALIDATOR = "/usr/bin/virt-qemu-sev-validate"
LUKS = "736869e5-84f0-4973-92ec-06879ce3da0b"
CMDLINE = "console=ttyS0 root=/dev/vda1"
PASSPHRASE = b"correct horse battery staple"


class Fixture:
    def __init__(self, owner, opener, directory):
        self.owner, self.opener, self.dir = owner, opener, directory
        self.put("fw", os.urandom(64 << 10))
        self.put("kernel", os.urandom(10000))
        self.put("initrd", os.urandom(12345))
        self.put("tik", os.urandom(16))
        self.put("tek", os.urandom(16))
        self.put("vmsa0", os.urandom(4096))
        self.put("vmsa1", os.urandom(4096))
        self.put("pass", PASSPHRASE)
        # What a host reports; before the launch only the nonce is known.
        self.put("nonce", bytes(32) + os.urandom(16))

    def path(self, name):
        return os.path.join(self.dir, name)

    def put(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)

    def get(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def run(self, expect, *argv):
        r = subprocess.run(argv, capture_output=True, check=False, timeout=60)
        if r.returncode != expect:
            sys.exit("%s\nstatus %d, expected %d\n%s%s" % (
                " ".join(argv), r.returncode, expect,
                r.stdout.decode(errors="replace"), r.stderr.decode()))
        return r.stdout


class Launch:
    """One launch: its inputs as each of the two wants to hear of them."""

    def __init__(self, name, policy, kernel, cpus):
        self.name, self.policy, self.kernel, self.cpus = (
            name, policy, kernel, cpus)

    def content(self, f):
        args = ["--firmware", f.path("fw")]
        if self.kernel:
            args += ["--kernel", f.path("kernel"), "--initrd",
                     f.path("initrd"), "--append", CMDLINE]
        if self.cpus:
            args += ["--vmsa", f.path("vmsa0"), "--cpus", str(self.cpus)]
        if self.cpus > 1:
            args += ["--vmsa", f.path("vmsa1")]
        return args

    def report(self, f, measurement):
        return ["--tik", f.path("tik"), "--api", "1.55", "--build", "21",
                "--policy", hex(self.policy), "--measurement", measurement]

    def theirs(self, f, measurement):
        args = ["/usr/bin/python3", VALIDATOR, "--measurement", measurement, "--api-major", "1",
                "--api-minor", "55", "--build-id", "21", "--policy",
                str(self.policy), "--firmware", f.path("fw"), "--tik",
                f.path("tik"), "--tek", f.path("tek")]
        if self.kernel:
            args += ["--kernel", f.path("kernel"), "--initrd",
                     f.path("initrd"), "--cmdline", CMDLINE]
        if self.cpus:
            # It wants the second page even for one CPU.
            args += ["--num-cpus", str(self.cpus), "--vmsa-cpu0",
                     f.path("vmsa0"), "--vmsa-cpu1", f.path("vmsa1")]
        return args


def check_measurement(f, launch):
    """They accept ours; both refuse one changed byte."""
    lines = f.run(0, f.owner, "measure", *launch.content(f),
                  *launch.report(f, f.path("nonce"))).decode().split()
    measurement = lines[1]
    f.run(0, *launch.theirs(f, measurement))
    f.run(0, f.owner, "verify", *launch.content(f),
          *launch.report(f, measurement))
    name = "kernel" if launch.kernel else "fw"
    data = bytearray(f.get(name))
    data[7] ^= 1
    f.put(name, data)
    f.run(1, *launch.theirs(f, measurement))
    f.run(1, f.owner, "verify", *launch.content(f),
          *launch.report(f, measurement))
    data[7] ^= 1
    f.put(name, data)
    return measurement


def table_secret(area):
    """The secret in a table of one, read as the kernel does."""
    if area[:16] != uuid.UUID("1e74f542-71dd-4d66-963e-ef4287ff173b").bytes_le:
        sys.exit("not a secret table: %r" % area)
    (length,) = struct.unpack("<I", area[36:40])
    if area[20:36] != uuid.UUID(LUKS).bytes_le:
        sys.exit("another GUID: %r" % area)
    return area[40:20 + length]


def open_packet(f, measurement):
    f.put("measurement", measurement.encode())
    return table_secret(f.run(
        0, f.opener, f.path("tik"), f.path("tek"), f.path("measurement"),
        f.path("header"), f.path("payload")))


def check_secret(f, launch, measurement):
    """What either packs, our side of the firmware opens."""
    f.run(0, *launch.theirs(f, measurement), "--inject-secret",
          "luks-key:" + f.path("pass"), "--secret-header", f.path("header"),
          "--secret-payload", f.path("payload"))
    if open_packet(f, measurement) != PASSPHRASE:
        sys.exit("libvirt's packet holds something else")
    f.run(0, f.owner, "secret", "--force", "--secret",
          "luks-key:" + f.path("pass"), "--tek", f.path("tek"),
          *launch.report(f, measurement), f.path("header"),
          f.path("payload"))
    if open_packet(f, measurement) != PASSPHRASE:
        sys.exit("our packet holds something else")


MXCSR, FCW = slice(0x408, 0x40c), slice(0x410, 0x412)  # of a VMSA page


def check_pages(f, stage0, cpus):
    """
    They accept the pages that we write for them, of either kind of host. Their
    own model is that of the older kind, and the newer differs in two registers.
    """
    with open(stage0, "rb") as image:
        f.put("fw", image.read())
    launch = Launch("", 5, True, cpus)
    model = ["25", "1", "1"]
    flags = ["--cpu-family", "--cpu-model", "--cpu-stepping"]
    sku = [w for pair in zip(flags, model) for w in pair]
    ours = [w for w in launch.content(f) if w not in (
        "--vmsa", f.path("vmsa0"), f.path("vmsa1"))] + sku
    pages = {}
    for profile in ("legacy", "init2"):
        lines = f.run(0, f.owner, "measure", *ours, "--vmsa-profile", profile,
                      "--vmsa-cpu0", f.path("vmsa0"), "--vmsa-cpu1",
                      f.path("vmsa1"), "--force",
                      *launch.report(f, f.path("nonce"))).decode().split()
        f.run(0, *launch.theirs(f, lines[1]))
        f.run(0, f.owner, "verify", *launch.content(f),
              *launch.report(f, lines[1]))
        os.unlink(f.path("tik.used"))
        pages[profile] = [bytearray(f.get(n)) for n in ("vmsa0", "vmsa1")]
        if [len(p) for p in pages[profile]] != [4096, 4096]:
            sys.exit("not two pages")
        theirs = launch.theirs(f, lines[1])
        theirs = theirs[:theirs.index("--vmsa-cpu0")] + sku
        f.run(0 if profile == "legacy" else 1, *theirs)
    for page in pages["legacy"]:
        page[MXCSR] = struct.pack("<I", 0x1f80)
        page[FCW] = struct.pack("<H", 0x37f)
    if pages["legacy"] != pages["init2"]:
        sys.exit("the two kinds differ in other registers, too")


def main():
    if not os.access(VALIDATOR, os.X_OK):
        print("SKIPPED: no %s (apt-get install libvirt-clients-qemu "
              "python3-libvirt python3-lxml)" % VALIDATOR)
        return 77
    owner, opener, stage0 = sys.argv[1:4]
    for launch in (Launch("SEV, firmware", 1, False, 0),
                   Launch("SEV, kernel hashes", 3, True, 0),
                   Launch("SEV-ES, 1 CPU", 7, True, 1),
                   Launch("SEV-ES, 3 CPUs", 5, False, 3)):
        with tempfile.TemporaryDirectory() as directory:
            f = Fixture(owner, opener, directory)
            measurement = check_measurement(f, launch)
            check_secret(f, launch, measurement)
        print("%s: both agree" % launch.name)
    for cpus in (1, 4):
        with tempfile.TemporaryDirectory() as directory:
            check_pages(Fixture(owner, opener, directory), stage0, cpus)
        print("register pages for --cpus %d: accepted" % cpus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
