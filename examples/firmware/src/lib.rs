//! What does a gateway's firmware need besides the credential's own crates? A board, a network, a job.
//!
//! - [`board`]: everything that knows the hardware, and the only place with `unsafe`;
//! - [`boot`]: what every image does before its job begins;
//! - [`memory`]: what is still known after a power failure;
//! - [`net`]: TCP over the board's Ethernet, as the connector that `wxtoken-embedded` asks for;
//! - [`provision`]: whose credential it is, and where it is asked for;
//! - [`gateway`]: the job, which knows neither board nor network;
//! - [`image`]: the way from boot to job, the same for all images.
//!
//! No heap, and no allocator to make one of, unless the feature `tls` asks for them. The job and its settings build for the
//! host as well, where their tests run.
#![no_std]

#[cfg(feature = "tls")]
extern crate alloc;

#[cfg(target_os = "none")]
pub mod board;
#[cfg(target_os = "none")]
pub mod boot;
pub mod gateway;
#[cfg(target_os = "none")]
pub mod image;
#[cfg(target_os = "none")]
pub mod memory;
#[cfg(target_os = "none")]
pub mod net;
pub mod provision;
