//! Does the code in the README files compile? That is all that this library holds; the test and its helper stand beside it.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../README.zh-CN.md")]
pub mod readme_zh_cn {}
