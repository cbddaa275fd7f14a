"""Builds what the outer machine boots from: initramfs, root file system, and
the initrds of the guests inside it.

Everything here is made anew at each run from installed or cached packages;
device nodes exist only inside archives, so that nothing needs root.
"""
import contextlib
import os
import re
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from kernels import Kernel, Unavailable, download

HERE = Path(__file__).resolve().parent

# The outer machine: its disks and report channel, then what VMMs use.
OUTER_BOOT_MODULES = ["virtio_pci", "virtio_blk"]
OUTER_MODULES = ["virtio_console", "kvm_amd", "tun", "vhost_vsock", "dummy"]
# The inner init loads those that the guest's command line names, or all.
INNER_MODULES = ["virtio_pci", "virtio_net", "virtio_scsi", "sd_mod",
                 "vmw_vsock_virtio_transport", "virtio_rng", "button", "evdev",
                 "pvpanic_pci"]


class Cpio:
    """A newc archive (Linux Documentation/driver-api/early-userspace)."""

    def __init__(self):
        self.out = bytearray()
        self.ino = 0
        self.dirs = set()

    def _entry(self, name: str, mode: int, data: bytes = b"", rdev=(0, 0)):
        self.ino += 1
        raw = name.encode() + b"\0"
        fields = [self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev,
                  len(raw), 0]
        self.out += b"070701" + b"".join(b"%08X" % f for f in fields) + raw
        self.out += bytes(-len(self.out) % 4) + data
        self.out += bytes(-len(self.out) % 4)

    def dir(self, name: str):
        if name and name not in self.dirs:
            self.dir(os.path.dirname(name))
            self.dirs.add(name)
            self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name: str, data: bytes, mode: int = 0o644):
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def symlink(self, name: str, target: str):
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def chardev(self, name: str, major: int, minor: int):
        self.dir(os.path.dirname(name))
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def finish(self) -> bytes:
        self._entry("TRAILER!!!", 0)
        return bytes(self.out + bytes(-len(self.out) % 512))


def _module_name(path_or_name: str) -> str:
    return Path(path_or_name).name.removesuffix(".ko").replace("-", "_")


def module_closure(kernel: Kernel, wanted: list[str]) -> list[Path]:
    """@wanted and what they depend on, in an order insmod can follow."""
    available = {_module_name(p.name): p
                 for p in (kernel.modules / "kernel").rglob("*.ko")}
    builtin = {_module_name(line) for line in
               (kernel.modules / "modules.builtin").read_text().split()}
    order: dict[str, Path] = {}

    def visit(name: str):
        name = _module_name(name)
        if name in order or name in builtin:
            return
        if name not in available:
            raise Unavailable(f"kernel {kernel.version} has no module {name}")
        # modinfo's "depends" is in the file itself; modules.dep is made by
        # the package's postinst and missing from an unpacked package.
        m = re.search(rb"\0depends=([^\0]*)\0", available[name].read_bytes())
        for dep in m.group(1).decode().split(",") if m else []:
            if dep:
                visit(dep)
        order[name] = available[name]

    for name in wanted:
        visit(name)
    return list(order.values())


def _busybox() -> Path:
    path = Path("/bin/busybox")
    if not path.exists() or b"ld-linux" in path.read_bytes()[:4096]:
        raise Unavailable("no static busybox: apt-get install busybox-static")
    return path


def _applets(busybox: Path) -> list[str]:
    out = subprocess.run([busybox, "--list"], capture_output=True, text=True,
                         check=True).stdout
    return [a for a in out.split() if a != "busybox"]


def _compile(source: Path, out: Path, *options: str) -> Path:
    cc = os.environ.get("CC", "cc")
    done = subprocess.run(
        [cc, *options, "-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror",
         "-Wconversion", "-Wshadow", "-D_GNU_SOURCE", "-o", out, source],
        capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"cannot compile {source.name}: {done.stderr}")
    return out


def compile_static(source: Path, out: Path) -> Path:
    """A static program for a machine that has no libraries."""
    return _compile(source, out, "-static")


def compile_preload(source: Path, out: Path) -> Path:
    """What LD_PRELOAD puts into a program of this machine."""
    return _compile(source, out, "-shared", "-fPIC")


@contextlib.contextmanager
def scratch_directory():
    """A temporary directory, as a Path."""
    with tempfile.TemporaryDirectory(prefix="nested-") as d:
        yield Path(d)


def inner_initrd(kernel: Kernel, tools: list[Path],
                 init: Path = HERE / "inner/init",
                 more_modules: tuple[str, ...] = ()) -> bytes:
    """busybox, the guest helpers, modules for @kernel, and @init."""
    wanted_modules = [*INNER_MODULES, *more_modules]
    c = Cpio()
    busybox = _busybox()
    c.chardev("dev/console", 5, 1)
    for d in ("proc", "sys", "tmp", "run", "mnt", "root"):
        c.dir(d)
    c.file("bin/busybox", busybox.read_bytes(), 0o755)
    for applet in _applets(busybox):
        c.symlink(f"bin/{applet}", "busybox")
    for t in tools:
        c.file(f"bin/{t.name}", t.read_bytes(), 0o755)
    for m in module_closure(kernel, wanted_modules):
        c.file(f"modules/{_module_name(m.name)}.ko", m.read_bytes())
    for wanted in wanted_modules:
        names = [_module_name(m.name)
                 for m in module_closure(kernel, [wanted])]
        c.file(f"modules/{wanted}.order", " ".join(names).encode())
    c.file("init", init.read_bytes(), 0o755)
    return c.finish()


def boot_loaders(cache: Path) -> Path:
    """The directory of systemd's EFI programs."""
    return download("systemd-boot-efi", cache) / "usr/lib/systemd/boot/efi"


def unified_kernel(kernel: Kernel, initrd: Path, cmdline: str, cache: Path,
                   out: Path):
    """
    A unified kernel image as distributions make it: systemd's stub with the
    kernel, its initrd and command line as PE sections (UAPI group
    specification, "Unified Kernel Image").
    """
    stub = boot_loaders(cache) / "linuxx64.efi.stub"
    text = out.with_suffix(".cmdline")
    text.write_text(cmdline)
    # Where each section would lie in memory: apart, in this order.
    sections = [(".cmdline", text, 0x30000), (".linux", kernel.bzimage,
                 0x2000000), (".initrd", initrd, 0x6000000)]
    command = ["objcopy"]
    for name, path, address in sections:
        command += ["--add-section", f"{name}={path}",
                    "--change-section-vma", f"{name}={address:#x}"]
    done = subprocess.run([*command, stub, out], capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"objcopy: {done.stderr.strip()}")


def outer_initramfs(kernel: Kernel) -> bytes:
    """Just enough to mount the root disk."""
    c = Cpio()
    c.chardev("dev/console", 5, 1)
    for d in ("proc", "sys", "root"):
        c.dir(d)
    c.file("bin/busybox", _busybox().read_bytes(), 0o755)
    order = module_closure(kernel, OUTER_BOOT_MODULES)
    for i, m in enumerate(order):
        c.file(f"modules/{i:02}-{m.name}", m.read_bytes())
    c.file("init", (HERE / "outer/initramfs-init").read_bytes(), 0o755)
    return c.finish()


class RootTree:
    """The directory that becomes the outer machine's root disk."""

    def __init__(self, path: Path):
        self.path = path
        for d in ("bin", "dev", "proc", "sys", "tmp", "run", "disk", "mnt",
                  "etc", "root", "var", "usr/bin", "nested/modules"):
            (path / d).mkdir(parents=True)
        (path / "sbin").symlink_to("bin")
        (path / "etc/passwd").write_text(
            "root:x:0:0:root:/root:/bin/sh\n"
            "nobody:x:65534:65534:nobody:/:/bin/false\n")
        (path / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
        busybox = _busybox()
        self.copy(busybox, "bin/busybox")
        for applet in _applets(busybox):
            (path / "bin" / applet).symlink_to("busybox")

    def copy(self, src: Path, dst: str, mode: int = 0o755):
        """@dst may exist already: programs share libraries."""
        out = self.path / dst.lstrip("/")
        out.parent.mkdir(parents=True, exist_ok=True)
        if not out.exists():
            shutil.copyfile(src, out)
            out.chmod(mode)

    def program(self, src: Path, dst: str):
        """@src with every library it is linked with, at the same paths."""
        self.copy(src, dst)
        out = subprocess.run(["ldd", src], capture_output=True, text=True)
        if "not found" in out.stdout:
            raise Unavailable(f"{src} lacks a library:\n{out.stdout}")
        # A static program makes ldd fail, which is fine.
        for lib in re.findall(r"(/\S+) \(0x", out.stdout):
            self.copy(Path(lib), lib)

    def modules(self, kernel: Kernel, wanted: list[str], loaded: list[str]):
        have = module_closure(kernel, loaded)
        new = [m for m in module_closure(kernel, wanted) if m not in have]
        for i, m in enumerate(new):
            self.copy(m, f"nested/modules/{i:02}-{m.name}", 0o644)

    def make_ext4(self, image: Path):
        """An image of the tree, with no journal: it is mounted read-only."""
        used = sum(f.lstat().st_size + 4096 for f in self.path.rglob("*"))
        make_ext4(image, used * 9 // 8 + (16 << 20), "-d", self.path,
                  "-O", "^has_journal")


def make_ext4(image: Path, size: int, *options):
    """An ext4 file system of @size bytes in the sparse file @image."""
    with open(image, "wb") as f:
        f.truncate(-(-size // 4096) * 4096)
    mke2fs = shutil.which("mke2fs", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if mke2fs is None:
        raise Unavailable("no mke2fs: apt-get install e2fsprogs")
    done = subprocess.run([mke2fs, "-q", "-F", "-t", "ext4", "-b", "4096",
                           "-E", "root_owner=0:0,lazy_itable_init=1", *options,
                           image], capture_output=True, text=True)
    if done.returncode != 0:
        raise Unavailable(f"mke2fs failed: {done.stderr.strip()}")
