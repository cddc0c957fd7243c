//! Is every reply read alike: whole, in two pieces at every point, byte by byte, blocking and asynchronously?

mod cases;
mod machine;
mod pumps;
mod secrecy;
mod support;
