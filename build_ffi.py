# SPDX-License-Identifier: GPL-2.0-only
"""
The cffi build script: the bundled subset in API mode, and the declarations of the fixed ABI.

Nothing happens at import. setuptools calls :func:`bundled` and :func:`abi`; run as a program, this file
builds both modules in place.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent

#: Loops for several generations of one architecture, picked when the module is loaded.
CLONES = '-DPYGFP_CLONES=__attribute__((target_clones("arch=x86-64-v4","avx2","default")))'

_GLUE = """
%(declarations)s
extern const struct pygfp_table pygfp_bundled_table;

static unsigned long long call(const char *name, unsigned long long flags)
{
	const struct pygfp_segment *first = pygfp_bundled_table.segments;
	const unsigned long long input = flags;
	struct pygfp_result result = { 0 };

	for (unsigned int i = 0; i < first->n_helpers; i++)
		if (!strcmp(first->helpers[i].name, name))
			first->helpers[i].call(&input, 1, 0, &result);
	return result.value;
}
%(functions)s
/*
 * A helper of any loaded object by the address of its function: the quickest
 * way in from Python. The answer has room for 32 bits of value; bit 32 says
 * that BUG or WARN fired. Nothing is written, so that threads need no place of theirs.
 */
static unsigned long long pygfp_scalar(unsigned long long function, unsigned long long input)
{
	void (*helper)(const unsigned long long *, unsigned int, unsigned int, struct pygfp_result *) = (void *)function;
	struct pygfp_result result;

	helper(&input, 1, 0, &result);
	return (unsigned int)result.value | (unsigned long long)(result.bug || result.warned) << 32;
}

static inline int pygfp_is_mention(const char *s)
{
	return ((s[0] == 'g') & (s[1] == 'f') & (s[2] == 'p')) |
	       ((s[0] == 'G') & (s[1] == 'F') & (s[2] == 'P') & (s[3] == '_'));
}

#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#define PYGFP_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define PYGFP_WIDE
#endif

/*
 * Where a text mentions a mask, "gfp" or "GFP_", from some place on: fills *found* and returns how many there are, at
 * most *room*. Two searches of Python take as long as reading the text. The text ends in three bytes that are nothing.
 */
PYGFP_WIDE static unsigned int pygfp_mentions(const char *text, unsigned long long at, unsigned long long length,
				   unsigned long long *found, unsigned int room)
{
	unsigned int count = 0;

	while (at < length && count < room) {
		/* A block has a fixed length: the loop is vectorised. */
		const unsigned long long end = length - at < 4096 ? length : at + 4096;
		unsigned char any = end - at < 4096;

		if (!any)
			for (unsigned int i = 0; i < 4096; i++)
				any |= pygfp_is_mention(text + at + i);
		for (; any && at < end && count < room; at++)
			if (pygfp_is_mention(text + at))
				found[count++] = at;
		if (!any)
			at = end;
	}
	return count;
}

static unsigned long long pygfp_bundled_address(void)
{
	return (unsigned long long)&pygfp_bundled_table;
}

static const char pygfp_bundled_meta[] = %(meta)s;
"""


def bundled() -> Any:  # noqa: ANN401 - cffi is untyped
    """
    Return the FFI that builds ``pygfp._bundled``: the bundled subset, compiled now.

    The kernel text is compiled alone, with the kernel's flags, into an object; the module links it.
    """
    from cffi import FFI  # noqa: PLC0415 - no work at import

    sys.path.insert(0, str(ROOT))
    from pygfp.native import abi as native_abi  # noqa: PLC0415 - ditto

    build, stored, compiled = _compile()
    exported = [h for h in build.helpers if any(m.segment == 0 for m in h.meanings)]
    prototypes = "".join(f"{_c_type(h.result)} {h.name}(unsigned int flags);\n" for h in exported)
    functions = "".join(
        f'static {_c_type(h.result)} {h.name}(unsigned int flags)\n{{\n\treturn call("{h.name}", flags);\n}}\n'
        for h in exported
    )
    text = json.dumps(stored)
    ffi = FFI()
    own = (
        "unsigned long long pygfp_bundled_address(void);\n"
        "unsigned long long pygfp_scalar(unsigned long long function, unsigned long long input);\n"
        "unsigned int pygfp_mentions(const char *text, unsigned long long at, unsigned long long length,\n"
        "    unsigned long long *found, unsigned int room);\n"
        "static const char pygfp_bundled_meta[];"
    )
    ffi.cdef(f"{prototypes}\n{own}")
    ffi.set_source(
        "pygfp._bundled",
        "#include <string.h>\n"
        + _GLUE % {"declarations": native_abi.declarations(), "functions": functions, "meta": _c_string(text)},
        extra_objects=[compiled],
        extra_compile_args=["-O3", "-Wno-unused-function"],
    )
    return ffi


def abi() -> Any:  # noqa: ANN401 - cffi is untyped
    """Return the FFI that writes ``pygfp._abi``: the declarations of a compiled object, parsed once and for all."""
    from cffi import FFI  # noqa: PLC0415 - no work at import

    sys.path.insert(0, str(ROOT))
    from pygfp.native import abi as native_abi  # noqa: PLC0415 - ditto

    ffi = FFI()
    ffi.cdef(native_abi.declarations() + native_abi.MORE)
    ffi.set_source("pygfp._abi", None)
    return ffi


def _compile() -> tuple[Any, dict[str, Any], str]:
    """The build of the bundled subset, what the module keeps of it, and the object file."""
    from pygfp import sources  # noqa: PLC0415 - no work at import
    from pygfp.config import Selection  # noqa: PLC0415 - ditto
    from pygfp.extract import extract  # noqa: PLC0415 - ditto
    from pygfp.model.helpers import WANTED  # noqa: PLC0415 - ditto
    from pygfp.native import build as building  # noqa: PLC0415 - ditto
    from pygfp.native import compiler as cc  # noqa: PLC0415 - ditto
    from pygfp.native.attempt import include_flags  # noqa: PLC0415 - ditto
    from pygfp.native.session import text_digest  # noqa: PLC0415 - ditto

    workdir = ROOT / "build" / "bundled"
    workdir.mkdir(parents=True, exist_ok=True)
    source = sources.bundled()
    compiler = cc.find()
    subset = extract(source, tuple(WANTED))
    build = building.build(subset, Selection(), compiler, workdir, WANTED, link=False)
    flags = ["-c", "-O3", "-fPIC", "-fvisibility=hidden", *cc.SEMANTIC_FLAGS]
    flags += ["-DPYGFP_TABLE_NAME=pygfp_bundled_table", "-DPYGFP_WITH_LOOPS"]
    clones = [CLONES] if platform.machine() == "x86_64" else []
    attempts = [[*flags, *clones], flags]
    for arguments in attempts:
        done = cc.run(compiler.command, [*arguments, *include_flags(), "unit0.c", "-o", "bundled.o"], cwd=workdir)
        if done.ok:
            break
    else:
        raise done.failure("the bundled subset does not compile")
    stored = {"digest": text_digest(source), "compiler": compiler.name, "build": build.to_json()}
    return build, stored, str(workdir / "bundled.o")


def _c_type(result: str) -> str:
    return {"gfp_t": "unsigned int", "bool": "_Bool"}.get(result, "int")


def _c_string(text: str) -> str:
    """*text*, which is ASCII, as adjacent C string literals."""
    lines = [text[at : at + 400] for at in range(0, len(text), 400)]
    return "\n".join('"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"' for line in lines)


if __name__ == "__main__":
    # Not made in place: an older setuptools would read pyproject.toml there, and refuse it.
    for make in (bundled, abi):
        made = Path(make().compile(verbose=False, tmpdir=str(ROOT / "build" / "ffi")))
        print(made.replace(ROOT / "pygfp" / made.name))  # noqa: T201 - run as a program
