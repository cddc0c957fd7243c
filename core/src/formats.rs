//! Does every public type format with defmt? Asked of the compiler, so that a new type cannot be forgotten for long.

use crate::*;

const fn formats<T: defmt::Format>() {}

const _: () = {
    formats::<Account<'static>>();
    formats::<Act>();
    formats::<Action>();
    formats::<BadAccount>();
    formats::<BadBase>();
    formats::<BadCall>();
    formats::<BadCredential>();
    formats::<BadToken>();
    formats::<Base<'static>>();
    formats::<Body<'static>>();
    formats::<Call<'static>>();
    formats::<CallRequest<'static, 'static>>();
    formats::<Endpoint>();
    formats::<Errcode>();
    formats::<ErrcodeReader>();
    formats::<Failure>();
    formats::<Fetch>();
    formats::<Fingerprint>();
    formats::<GaveUp>();
    formats::<Grant<'static>>();
    formats::<Healing>();
    formats::<Instant>();
    formats::<Keeper>();
    formats::<Lang>();
    formats::<Ledger>();
    formats::<Malformed>();
    formats::<Meaning>();
    formats::<Method>();
    formats::<Outcome>();
    formats::<Param>();
    formats::<Phase>();
    formats::<Place>();
    formats::<Policy>();
    formats::<Product>();
    formats::<Refusal>();
    formats::<Refused<'static>>();
    formats::<Repeat>();
    formats::<Reply<'static>>();
    formats::<ReportOutcome>();
    formats::<Request<'static, 'static>>();
    formats::<Scheme>();
    formats::<Snapshot<'static>>();
    formats::<Ticket>();
    formats::<Ticks32>();
    formats::<Todo<'static>>();
    formats::<Token>();
    formats::<Trouble>();
    formats::<Value>();
    #[cfg(feature = "js-sdk")]
    {
        formats::<BadPage>();
        formats::<Nonce>();
        formats::<PageSignature>();
    }
};
