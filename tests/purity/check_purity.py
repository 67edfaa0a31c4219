#!/usr/bin/env python3
"""Says which undefined symbols of object files belong to the operating system.

    check_purity.py [--nm NM] [--sanitized] [--expect SYMBOL]... @LIST | OBJECT...

The core of estab may call the C++ runtime and pure functions of the libraries, and nothing else: no
sockets, clocks, files, threads, randomness, and no printing. So this is a list of what is allowed;
any other symbol that no object of the list defines is reported with the object that wants it. Ends
with 1 if there was one.

With --expect it is its own test: it ends with 0 only if each SYMBOL named was among those reported.
"""
import argparse
import re
import subprocess
import sys

# Full matches of mangled names.
ALLOWED = [
    # Memory, and the pure parts of the C library.
    r"_Zn[wa]m(St11align_val_t)?(RKSt9nothrow_t)?",
    r"_Zd[la]Pv(m|St11align_val_t|mSt11align_val_t)?(RKSt9nothrow_t)?",
    r"_ZSt7nothrow",
    r"(malloc|calloc|realloc|free|aligned_alloc|posix_memalign)",
    r"(__)?(mem(cpy|move|set|cmp|chr)|bcmp|str(len|cmp|ncmp|chr))(_chk)?",
    r"(abort|floor|ceil|round|lround|sqrt|cbrt|pow|exp|exp2|log|log2|fmod)f?",
    # The C++ runtime: exceptions (std::bad_alloc passes through), virtual tables, guards of statics.
    r"__cxa_(begin_catch|end_catch|rethrow|throw|allocate_exception|free_exception|pure_virtual"
    r"|throw_bad_array_new_length|guard_(acquire|release|abort)|atexit|bad_cast|deleted_virtual)",
    r"__gxx_personality_v0|_Unwind_Resume|__dso_handle|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail",
    r"_ZT[VIS]N10__cxxabiv1\w+",
    r"_ZT[VIS]St(?!\d+basic_)\w+",
    r"_ZT[VIS][A-Za-z]",
    r"_ZSt9terminatev",
    r"__(cpu_model|cpu_indicator_init)",
    r"__(u?div|u?mod|mul|ashl|lshr|ashr)[dt]i3|__popcountdi2",
    # The C++ library where it computes: containers, strings, what they throw, numbers as text.
    r"_ZSt\d+__throw_\w+",
    r"_ZNK?St(9exception|9bad_alloc|11logic_error|13runtime_error|12length_error|12out_of_range"
    r"|16invalid_argument|18bad_variant_access|19bad_optional_access|17bad_function_call)\w*",
    r"_ZNK?St7__cxx1112basic_string\w+",
    # Error codes: values with a table of sentences beside them.
    r"_Z(NK?|T[VIS]N)St3_V2(14error_category|16generic_category)\w+",
    r"_ZNK?Ss\w+",
    r"_ZNSt8__detail15_List_node_base\w+",
    r"_ZNKSt8__detail20_Prime_rehash_policy\w+",
    r"_ZSt\d+_Rb_tree_\w+",
    r"_ZSt11_Hash_bytesPKvmm",
    r"_ZSt(8to_chars|10from_chars)\w+",
    r"_ZNSt8__detail\d+__(to|from)_chars\w+",
    r"_ZNSt8__detail31__from_chars_alnum_to_val_table\w+",
    # std::shared_ptr counts its owners without a lock while the process has one thread.
    r"__libc_single_threaded",
]
SANITIZERS = r"__(asan|ubsan|tsan|sanitizer|sancov|lsan|msan)_\w+|__start___\w+|__stop___\w+"


def symbols(nm, objects, *options):
    """(object, symbol) pairs of `nm OPTIONS`."""
    command = [nm, "--print-file-name", "--format=posix", *options, *objects]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        where, _, rest = line.rpartition(": ")
        yield where, rest.split()[0]


def demangle(names):
    run = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True)
    return dict(zip(names, run.stdout.splitlines())) if run.returncode == 0 else {}


def forbidden(nm, objects, sanitized):
    allowed = re.compile("|".join(ALLOWED + ([SANITIZERS] if sanitized else [])))
    own = {symbol for _, symbol in symbols(nm, objects, "--defined-only")}
    return sorted({(where, symbol) for where, symbol in symbols(nm, objects, "--undefined-only")
                   if symbol not in own and not allowed.fullmatch(symbol)})


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     fromfile_prefix_chars="@")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--sanitized", action="store_true")
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("objects", nargs="*")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if not arguments.objects:
        sys.exit("check_purity.py: no objects to look at")
    found = forbidden(arguments.nm, arguments.objects, arguments.sanitized)
    readable = demangle([symbol for _, symbol in found])
    for where, symbol in found:
        print(f"{where}: {readable.get(symbol, symbol)} ({symbol}) is not for the core to call")
    if arguments.expect:
        missed = set(arguments.expect) - {symbol for _, symbol in found}
        for symbol in sorted(missed):
            print(f"not reported, and should have been: {symbol}")
        return 1 if missed else 0
    print(f"{len(arguments.objects)} objects, {len(found)} forbidden symbols")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
