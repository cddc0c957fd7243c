//! What does an errcode mean, and who must act?
//!
//! The same number means different things on different products (40091, 40125, 42007, 45009, 50002) and in different
//! phases (40001: a wrong secret when fetching, a refused token when using one), so both are asked for. Decisions use
//! the errcode alone; `errmsg` is for people, and only an address and a trace id are taken out of it.
//!
//! Sources: the platform's return code list and the documents of each endpoint, WeCom developer document 90455, the
//! open platform's documents of the component tokens; codes that only public SDKs list are marked in the table.

use core::fmt;

use heapless::String;

mod extract;
mod meaning;
mod table;

pub use meaning::{Act, Lang, Meaning};
pub(crate) use table::meaning;

/// Whose error codes a reply speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Product {
    /// 公众平台: official accounts (公众号) and mini programs (小程序).
    Platform,
    /// 企业微信 (WeCom), and 企业号 before it.
    Work,
    /// 开放平台 (the open platform): component and authorizer credentials.
    Open,
}

/// What was being done when the code came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Phase {
    /// A credential was being fetched.
    Fetching,
    /// An API was being called with one.
    Using,
}

/// The platform's "no": its errcode, what it means here, and what helps a person mend it.
///
/// `Display` gives one English line. It never repeats `errmsg`: a peer that echoes the secret into it must not reach a
/// log. The address and the trace id are copied only when they have exactly the shape of one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Refusal {
    errcode: i32,
    meaning: Meaning,
    address: String<{ extract::ADDRESS_MAX }, u8>,
    trace: String<{ extract::TRACE_MAX }, u8>,
}

impl Refusal {
    /// Judges one errcode. `errmsg` may be raw JSON text, escapes and all, or empty.
    #[must_use]
    pub fn new(product: Product, phase: Phase, errcode: i32, errmsg: &str) -> Self {
        Self {
            errcode,
            meaning: meaning(product, phase, errcode),
            address: extract::address(errmsg),
            trace: extract::trace(errmsg),
        }
    }

    /// The number the platform sent.
    #[must_use]
    pub const fn errcode(&self) -> i32 {
        self.errcode
    }

    /// What it means for this product and phase.
    #[must_use]
    pub const fn meaning(&self) -> Meaning {
        self.meaning
    }

    /// Who must act.
    #[must_use]
    pub const fn act(&self) -> Act {
        self.meaning.act()
    }

    /// The caller's address as the platform saw it, the one to put on the allow-list (IP 白名单 or 可信IP).
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        Some(self.address.as_str()).filter(|a| !a.is_empty())
    }

    /// The `rid` of 公众平台 or the `hint` of 企业微信, by which the platform's staff find this very call.
    #[must_use]
    pub fn trace(&self) -> Option<&str> {
        Some(self.trace.as_str()).filter(|t| !t.is_empty())
    }

    /// Writes what happened and what to do, in one line, for a person.
    ///
    /// # Errors
    /// Whatever the writer returns.
    pub fn explain<W: fmt::Write>(&self, lang: Lang, out: &mut W) -> fmt::Result {
        let text = self.meaning.text(lang);
        let (colon, address, trace) = match lang {
            Lang::En => (": ", "; the address to allow is ", "; trace "),
            Lang::Zh => ("：", "；需加入白名单的地址：", "；追踪号："),
        };
        write!(out, "errcode {}", self.errcode)?;
        for part in [colon, text] {
            out.write_str(part)?;
        }
        // An address is named only where allowing it is the remedy: WeCom puts one into every message.
        if let (Some(ip), true) = (self.address(), self.meaning == Meaning::AddressNotAllowed) {
            out.write_str(address)?;
            out.write_str(ip)?;
        }
        if let Some(id) = self.trace() {
            out.write_str(trace)?;
            out.write_str(id)?;
        }
        Ok(())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.explain(Lang::En, f)
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests;
