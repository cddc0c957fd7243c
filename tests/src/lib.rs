//! Where is what crosses crates tested? In this package's test targets. The library itself holds one thing: the code of
//! the README files, compiled.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../README.zh-CN.md")]
pub mod readme_zh_cn {}
