#!/usr/bin/env bash
# Lists where a panic can start in a program built with the feature `list-remaining`: for each call from ordinary code
# into the panicking family of `core`, the chain of inlined functions that leads to it, innermost first. For x86_64.
# Usage: remaining.sh PROGRAM
set -euo pipefail
program=$1

objdump -d --no-show-raw-insn -C "$program" | awk '
    # That family, and what it uses to word its message, says nothing new about itself.
    function family(name) { return name ~ /core::panicking|core::unicode|_fail(_rt)?$|(unwrap|expect)_failed|rust_begin_unwind|Debug>::fmt/ }
    /^[0-9a-f]+ <.*>:$/ { caller = $0; sub(/^[0-9a-f]+ </, "", caller); sub(/>:$/, "", caller) }
    /(call|jmp|j[a-z]+) .*<.*(core::panicking|do_panic|slice_error_fail|slice_index_fail|unwrap_failed|expect_failed).*>/ {
        if (!family(caller)) { address = $1; sub(/:$/, "", address); print address }
    }' |
    while read -r address; do
        # Frames of core say how (an index, a split); the first two beyond it say where.
        addr2line -Cfia -e "$program" "0x$address" | awk '
            NR == 1 { next }
            NR % 2 == 0 { name = $0; next }
            { sub(/ \(discriminator.*/, ""); n = split($0, part, "/") }
            name ~ /^<?(core::|str>|&?\[T\])/ && !outside { inner = name; next }
            outside < 2 { printf "%s%s (%s)", sep, name, part[n]; sep = " <- "; outside++ }
            END { print (outside ? "" : inner) }'
    done | sort | uniq -c
