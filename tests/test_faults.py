# SPDX-License-Identifier: GPL-2.0-only
"""Faults: whatever ends a run or damages its cache, no child and no file stays, and no verdict rests on the damage."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import hostile
import pytest
from processes import descendants

from pygfp.errors import BuildError
from pygfp.native import cache as caches
from pygfp.native import pool
from pygfp.native.cache import Cache
from pygfp.native.plan import Build

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[int, str, str]]

KEY = "0" * 64
FAKE = '#!/bin/sh\ncase "$1" in --version) echo "cc 1.0"; exit 0;; esac\n'


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's builds are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache/pygfp"


def stored(root: Path) -> Cache:
    """A cache with one build of one object, and what is known of it."""
    cache = Cache()
    assert cache.root == root
    with cache.workdir() as workdir:
        (workdir / "unit0.so").write_bytes(b"object" * 100)
        build = Build([], [], ["unit0.so"])
        cache.store(KEY, build, workdir)
    cache.remember(KEY, "names.json", {"known": 1})
    assert cache.load(KEY)
    assert cache.recall(KEY, "names.json") == {"known": 1}
    assert not cache.complaint
    return cache


DAMAGE: dict[str, Callable[[Path], object]] = {
    "flipped": lambda p: p.write_bytes(bytes([p.read_bytes()[0] ^ 1]) + p.read_bytes()[1:]),
    "cut": lambda p: p.write_bytes(p.read_bytes()[:70]),
    "longer": lambda p: p.write_bytes(p.read_bytes() + b" "),
    "empty": lambda p: p.write_bytes(b""),
    "directory": lambda p: (p.unlink(), p.mkdir()),
    "pipe": lambda p: (p.unlink(), os.mkfifo(p)),
    "link": lambda p: (p.rename(p.with_name("x")), p.symlink_to("x")),
    "loop": lambda p: (p.unlink(), p.symlink_to(p.name)),
}


class TestAlteredEntries:
    """Never loaded, made anew, and said."""

    @pytest.mark.parametrize("damage", DAMAGE)
    @pytest.mark.parametrize("name", ["build.json", "unit0.so"])
    def test_of_a_build(self, root: Path, name: str, damage: str) -> None:
        cache = stored(root)
        DAMAGE[damage](root / KEY / name)
        assert cache.load(KEY) is None
        assert KEY[:12] in cache.complaint
        assert "built anew" in cache.complaint
        assert not os.path.lexists(root / KEY)

    @pytest.mark.parametrize("damage", DAMAGE)
    def test_of_what_is_known(self, root: Path, damage: str) -> None:
        cache = stored(root)
        DAMAGE[damage](root / KEY / "names.json")
        assert cache.recall(KEY, "names.json") is None
        assert "names.json of the cached build 000000000000 is not used" in cache.complaint
        cache.remember(KEY, "names.json", {"known": 2})
        assert cache.recall(KEY, "names.json") == {"known": 2}

    @pytest.mark.parametrize("damage", ["pipe", "link", "loop", "directory", "empty"])
    def test_of_the_entry_itself_and_its_lock(self, root: Path, damage: str) -> None:
        cache = stored(root)
        (root / KEY).rename(root / "moved")
        (root / KEY).write_bytes(b"x")
        DAMAGE[damage](root / KEY)
        (root / f"{KEY}.lock").write_bytes(b"x")
        DAMAGE[damage](root / f"{KEY}.lock")
        with cache.locked(KEY):
            assert cache.load(KEY) is None
            assert cache.complaint

    def test_a_user_is_told(self, run: Run, bundled_tree: Path, root: Path) -> None:
        arguments = ["decode", "--source", bundled_tree, "0xcc0"]
        assert run(*arguments)[::2] == (0, "")
        (known,) = root.glob("*/names.json")
        known.write_bytes(known.read_bytes()[:-1])
        _, out, err = run(*arguments)
        assert "names.json of the cached build" in out + err
        assert "is made anew" in out + err
        assert "made anew" not in "".join(map(str, run(*arguments)))


class TestInterrupts:
    """Ctrl-C at any moment is an exit status, and not the end of the process by the signal."""

    def test_one_while_a_class_is_made(self, tmp_path: Path) -> None:
        # As dataclasses make one: exec() of a text. Python remembers that a KeyboardInterrupt went through it.
        (tmp_path / "interrupted.py").write_text(
            "import sys\nfrom pygfp.cli.interruptions import Interruptions\n"
            "try:\n    exec('raise KeyboardInterrupt')\n"
            "except KeyboardInterrupt:\n    sys.exit(Interruptions(is_program=False).tidy([]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-m", "interrupted"], check=False, cwd=tmp_path, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (130, "pygfp: interrupted; nothing was left behind\n")


class TestPlaces:
    """A cache that cannot be used is done without; where nothing can be, that is said."""

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda p, _: p.chmod(0o770), "others can write to it"),
            (lambda p, _: os.chown(p, 1, -1), "others can write to it"),
            (lambda _, m: m.setattr(caches, "_require_room", _full), "No space"),
            (lambda _, m: m.setattr(caches.tempfile, "TemporaryFile", _read_only), "Read-only"),
        ],
        ids=["group", "owner", "full", "read-only"],
    )
    def test_a_cache_that_cannot_be_used(
        self, root: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[..., object], words: str
    ) -> None:
        Cache().close()
        try:
            change(root, monkeypatch)
        except PermissionError:
            pytest.skip("only root can give files away; run the tests as root for this one")
        cache = Cache()
        assert words in cache.complaint
        place = cache.root
        assert place.parent != root.parent
        assert place.is_dir()
        cache.close()
        assert not place.exists()

    def test_no_place_at_all_is_said(self, run: Run, bundled_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(caches, "_ROOM", 1 << 62)
        status, out, err = run("check", bundled_tree)
        assert (status, out) == (3, "")
        assert "there is no place to build in" in err
        with pytest.raises(BuildError, match="name a directory in TMPDIR"):
            Cache()


def _full(path: Path) -> None:
    if path.name == "pygfp":
        raise OSError(28, "No space left on device")


def _read_only(**_: object) -> None:
    raise OSError(30, "Read-only file system")


class TestLeftovers:
    """What a killed run left is gone with the next one; what a running one uses is not touched."""

    @pytest.mark.parametrize("is_alive", [True, False])
    def test_of_another_process(self, root: Path, is_alive: bool) -> None:  # noqa: FBT001 - a parameter of pytest
        code = (
            "from pygfp.native.cache import Cache; import sys\n"
            "with Cache().workdir() as w: (w / 'x').write_text('x'); print(w, flush=True); sys.stdin.read()"
        )
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with process:
            assert process.stdout
            place = Path(process.stdout.readline().decode().strip())
            assert place.parent == root
            if not is_alive:
                process.kill()
                process.wait()
            assert place.exists()
            Cache()
            assert place.exists() == is_alive
            process.kill()

    def test_one_that_is_just_being_made_is_left_alone(self, root: Path) -> None:
        Cache()
        (root / "new-1").mkdir()
        (root / "new-2").mkdir()
        os.utime(root / "new-2", (1, 1))
        Cache()
        assert [p.name for p in root.iterdir()] == ["new-1"]

    def test_no_file_of_another_name_is_touched(self, root: Path) -> None:
        Cache()
        (root / "build-file").write_text("")
        (root / "build-link").symlink_to(root.parent)
        (root / "mine").mkdir()
        Cache()
        assert sorted(p.name for p in root.iterdir()) == ["build-file", "build-link", "mine"]


class TestProcesses:
    """No child outlives a run, however it ends."""

    @staticmethod
    def start(tree: Path, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pygfp", "check", *hostile.ONE_CONFIG, "--helper", "gfp_nested_mask", tree]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **env},
        )

    def wait_for(self, what: Callable[[], object]) -> None:
        for _ in range(3000):
            if what():
                return
            time.sleep(0.02)
        pytest.fail("it never came to that")

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
    @pytest.mark.parametrize("stage", ["compiler", "worker"])
    def test_that_a_signal_ends(
        self, bundled_tree: Path, root: Path, tmp_path: Path, stage: str, number: signal.Signals
    ) -> None:
        """The compiler hangs in a child of its own, or the helper never returns."""
        mark, env = tmp_path / "mark", {}
        if stage == "compiler":
            fake = tmp_path / "cc"
            fake.write_text(f"{FAKE}touch {mark}\nsleep 1000\n")
            fake.chmod(0o755)
            env = {"CC": str(fake)}
        else:
            edit = hostile.helper("for (;;) pause();")
            (bundled_tree / hostile.GFP_H).write_bytes(edit((bundled_tree / hostile.GFP_H).read_bytes()))
        process = self.start(bundled_tree, **env)
        self.wait_for(mark.exists if stage == "compiler" else lambda: list(root.glob("*/build.json")))
        # Long enough for the child to be started, or the call to be made.
        time.sleep(0.3)
        children = descendants(process.pid)
        assert len(children) >= 2
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == (-number if number == signal.SIGKILL else 128 + number)
        assert err == ("" if number == signal.SIGKILL else "pygfp: interrupted; nothing was left behind\n")
        self.wait_for(lambda: not any(is_alive(pid) for pid in children))
        Cache()
        assert not [p.name for p in root.iterdir() if p.name.startswith(("build-", "new-"))]

    def test_a_second_signal_disturbs_nothing(self, bundled_tree: Path, root: Path, tmp_path: Path) -> None:
        fake = tmp_path / "cc"
        fake.write_text(f"{FAKE}touch {tmp_path}/mark\nsleep 1000\n")
        fake.chmod(0o755)
        process = self.start(bundled_tree, CC=str(fake))
        self.wait_for((tmp_path / "mark").exists)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode in {128 + signal.SIGTERM, 128 + signal.SIGINT}
        assert err == "pygfp: interrupted; nothing was left behind\n"
        assert not [p.name for p in root.iterdir() if not p.name.endswith(".lock")]

    @pytest.mark.parametrize("moment", ["load", "sweep"])
    def test_a_worker_that_is_killed_from_outside_is_asked_again(
        self, run: Run, bundled_tree: Path, monkeypatch: pytest.MonkeyPatch, moment: str
    ) -> None:
        """As the system does when it is short of memory. The verdict is about the header, and that is not at fault."""
        killed: list[int] = []
        ask = pool._Process.ask

        def once(self: pool._Process, request: dict[str, object], limit_s: float) -> dict[str, object]:
            if request["op"] == moment and not killed:
                killed.append(self.process.pid)
                self.process.kill()
            return ask(self, request, limit_s)

        monkeypatch.setattr(pool._Process, "ask", once)
        status, out, _ = run("check", *hostile.ONE_CONFIG, "--helper", "gfp_nested_mask", bundled_tree)
        assert status == 0
        assert re.search(r"^PASS: \d+ pass; every value", out, re.MULTILINE)
        assert killed

    @pytest.mark.parametrize("busy", ["", "_ask(p, request); p.stdout.readline()"], ids=["it waits", "it reads"])
    def test_a_reader_of_a_tree_ends_with_its_parent(self, bundled_tree: Path, busy: str) -> None:
        """What reads files for an audit is watched, too: while it waits for a request, and while it reads."""
        code = (
            "import os, sys; from pygfp.sites.tree import _ask, _start\n"
            "request = {'root': sys.argv[1], 'names': ['include/linux/gfp.h'] * 10**6, 'known': []}\n"
            f"p = _start(); {busy}\n"
            "print(p.pid, flush=True); os.kill(os.getpid(), 9)"
        )
        done = subprocess.run([sys.executable, "-c", code, bundled_tree], capture_output=True, text=True, check=False)
        reader = int(done.stdout)
        self.wait_for(lambda: not is_alive(reader))


def is_alive(pid: int) -> bool:
    """Whether process *pid* runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False
