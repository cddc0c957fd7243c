//! Which tickets are there, and what is done when the token below one is refused?
//!
//! A ticket is a credential of the second level: it is fetched with a token, lives by itself (a newer token does not end
//! it), and signs pages instead of calls. Its keeper is a [`Keeper`](crate::Keeper) like any other; its request takes the
//! token as the one [`Extra`](Value::Extra) value.
//!
//! ```text
//!   tokens:  Keeper ── token ──▶ request_with(fetch, [token]) ──▶ the wire ──▶ refuses_token? ──no──▶ tickets: Keeper
//!              ▲                                                                    │ yes: report, and once more
//!              └────────────────────────────────────────────────────────────────────┘ with a different token
//! ```

use super::{Endpoint, Method, PLATFORM_HOSTS, Param, Repeat, Value};
use crate::{Act, Base, Phase, Policy, Product, Refusal, Reply};

const GETTICKET: &str = "/cgi-bin/ticket/getticket";
const TOKEN: Param = Param::query("access_token", Value::Extra(0));

impl Endpoint {
    /// `/cgi-bin/ticket/getticket?type=jsapi`: signs pages of an official account (公众号) for the JS-SDK.
    /// Source: the platform's JS-SDK guide, appendix 1.
    pub const JSAPI_TICKET: Self = Self::ticket(
        "jsapi_ticket",
        Product::Platform,
        GETTICKET,
        &[TOKEN, Param::query("type", Value::Literal("jsapi"))],
    );

    /// `/cgi-bin/ticket/getticket?type=wx_card`: signs cards (卡券) of an official account, by another rule than pages.
    /// Source: the platform's JS-SDK guide, appendix 4.
    pub const WX_CARD_TICKET: Self = Self::ticket(
        "wx_card_ticket",
        Product::Platform,
        GETTICKET,
        &[TOKEN, Param::query("type", Value::Literal("wx_card"))],
    );

    /// WeCom `/cgi-bin/get_jsapi_ticket`: signs pages for `wx.config`; all apps of a corp get the same ticket.
    /// Source: WeCom developer document 96909.
    pub const WORK_JSAPI_TICKET: Self =
        Self::ticket("work_jsapi_ticket", Product::Work, "/cgi-bin/get_jsapi_ticket", &[TOKEN]);

    /// WeCom `/cgi-bin/ticket/get?type=agent_config`: signs pages for `wx.agentConfig`; each app has its own ticket.
    /// Source: WeCom developer document 96909.
    pub const WORK_AGENT_TICKET: Self = Self::ticket(
        "work_agent_ticket",
        Product::Work,
        "/cgi-bin/ticket/get",
        &[TOKEN, Param::query("type", Value::Literal("agent_config"))],
    );

    const fn ticket(name: &'static str, product: Product, path: &'static str, params: &'static [Param]) -> Self {
        let hosts: &'static [Base<'static>] = match product {
            Product::Work => &[Base::WORK],
            Product::Platform | Product::Open => PLATFORM_HOSTS,
        };
        Self {
            name,
            product,
            hosts,
            method: Method::Get,
            path,
            params,
            token_field: "ticket",
            repeat: Repeat::SameWhileValid,
            policy: Policy::TICKET,
        }
    }

    /// Whether this reply to a fetch refuses the token the fetch was made with, and not the fetch: nothing is wrong above.
    /// `None` for all other replies, and for a credential that is fetched without a token.
    ///
    /// Then tell the [`Keeper`](crate::Keeper::report_refused) of the token, and make the same exchange once more with a
    /// *different* one. Where that is refused too, or there is none, end the exchange with
    /// [`handle_failure`](crate::Keeper::handle_failure): its wait is short, and the keeper of the token decides when
    /// another is fetched. Handed to [`handle_response`](crate::Keeper::handle_response) instead, such a reply would count
    /// as a wrong secret.
    ///
    /// ```
    /// use wxtoken_core::*;
    /// # fn exchange(request: &Request<'_, '_>) -> (u16, Vec<u8>) {
    /// #     let mut target = String::new();
    /// #     request.write_target(&mut target).unwrap();
    /// #     (200, match target.contains("=t1") {
    /// #         true => br#"{"errcode":40001,"errmsg":"invalid credential"}"#.to_vec(),
    /// #         false => br#"{"errcode":0,"errmsg":"ok","ticket":"k1","expires_in":7200}"#.to_vec(),
    /// #     })
    /// # }
    /// # fn drive(tokens: &mut Keeper, now: Instant) {
    /// #     let Action::Fetch(fetch) = tokens.poll(now) else { panic!() };
    /// #     let body = format!(r#"{{"access_token":"t{}","expires_in":7200}}"#, tokens.generation() + 1);
    /// #     tokens.handle_response(fetch.ticket(), now, 200, body.as_bytes());
    /// # }
    /// # let mut now = Instant::from_millis(1_000);
    /// let account = Account::new(&Endpoint::JSAPI_TICKET, "wx0123456789abcdef", "secret")?;
    /// let (mut tokens, mut tickets) = (Keeper::new(&Endpoint::STABLE_TOKEN, 1), Keeper::new(account.endpoint(), 2));
    /// # drive(&mut tokens, now);
    /// # now = Instant::from_millis(60_000);
    /// if let Action::Fetch(fetch) = tickets.poll(now) {
    ///     let mut tries = 2;
    ///     let ended = loop {
    ///         let Some(token) = tokens.token(now).cloned() else {
    ///             break tickets.handle_failure(fetch.ticket(), now, Failure::NotSent);
    ///         };
    ///         let (status, body) = exchange(&account.request_with(fetch, &[token.as_str()]));
    ///         if account.endpoint().refuses_token(&body).is_none() {
    ///             break tickets.handle_response(fetch.ticket(), now, status, &body);
    ///         }
    ///         tokens.report_refused(now, &token);
    ///         tries -= 1;
    ///         drive(&mut tokens, now); // poll it and make its exchange, as ever
    ///         if tries == 0 || tokens.token(now) == Some(&token) {
    ///             break tickets.handle_failure(fetch.ticket(), now, Failure::MaybeSent);
    ///         }
    ///     };
    ///     assert_eq!(ended, Outcome::Granted { generation: 1 });
    /// }
    /// # Ok::<(), BadAccount>(())
    /// ```
    #[must_use]
    pub fn refuses_token(&self, reply: &[u8]) -> Option<Refusal> {
        if self.extras() == 0 {
            return None;
        }
        match Reply::read(reply, self.token_field) {
            Ok(Reply::Refused(refused)) => {
                let refusal = Refusal::new(self.product, Phase::Using, refused.errcode(), refused.errmsg());
                Some(refusal).filter(|refusal| refusal.act() == Act::Refresh)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
