//! Where do code and data go? Hands the memory map and the names of the interrupts to the linker, for the device only.

use std::{env, fs, path::PathBuf};

fn main() {
    // The name that the linker knows, and the file.
    let map = if env::var_os("CARGO_FEATURE_TLS").is_some() { "memory-tls.x" } else { "memory-plain.x" };
    let scripts = [("memory.x", map), ("device.x", "device.x")];
    scripts.iter().for_each(|(_, script)| println!("cargo:rerun-if-changed={script}"));
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("none") {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    scripts.iter().for_each(|(name, script)| {
        fs::copy(script, out.join(name)).unwrap_or_else(|why| panic!("{script} cannot be copied: {why}"));
    });
    println!("cargo:rustc-link-search={}", out.display());
    for argument in ["--nmagic", "-Tlink.x", "-Tdefmt.x"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
