//! Where do code and data go? The memory map is found by our programs' build script; this asks for the linker's script.

fn main() {
    for argument in ["--nmagic", "-Tlink.x"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}
