//! Which meaning has a number, for which product and in which phase: one row a case, first match wins.

use super::{Meaning, Phase, Product};
use Meaning as M;

/// Products and phases as bits, so that a row can name several.
const MP: u8 = 1;
const WORK: u8 = 2;
const OPEN: u8 = 4;
const ALL: u8 = MP | WORK | OPEN;
const FETCH: u8 = 8;
const USE: u8 = 16;
const BOTH: u8 = FETCH | USE;

type Row = (i32, u8, Meaning);

const ROWS: &[Row] = &[
    (-1, ALL | BOTH, M::Busy),
    (40001, ALL | FETCH, M::SecretWrong),
    (40001, ALL | USE, M::TokenRefused),
    (40002, ALL | FETCH, M::GrantTypeInvalid),
    (40013, ALL | BOTH, M::IdInvalid),
    (40014, ALL | USE, M::TokenRefused),
    (40082, WORK | BOTH, M::SuiteTokenRefused),
    (40085, WORK | BOTH, M::PushedTicketInvalid),
    (40091, OPEN | FETCH, M::PushedTicketInvalid),
    (40091, WORK | FETCH, M::SecretWrong),
    (40125, MP | OPEN | FETCH, M::SecretWrong),
    (40125, WORK | BOTH, M::OpenUserIdInvalid),
    (40164, ALL | BOTH, M::AddressNotAllowed),
    (40243, MP | OPEN | BOTH, M::SecretFrozen),
    (41001, ALL | BOTH, M::TokenMissing),
    (41002, ALL | BOTH, M::IdMissing),
    (41004, ALL | BOTH, M::SecretMissing),
    (41018, OPEN | BOTH, M::ComponentIdMissing),
    (42001, ALL | USE, M::TokenExpired),
    (42007, WORK | BOTH, M::PreAuthCodeExpired),
    (42007, MP | OPEN | USE, M::UserAuthorisationVoid),
    (42009, WORK | BOTH, M::SuiteTokenRefused),
    (43002, ALL | BOTH, M::PostRequired),
    (43003, ALL | BOTH, M::HttpsRequired),
    (44002, ALL | BOTH, M::BodyEmpty),
    (45009, WORK | BOTH, M::FrequencyLimit),
    (45009, MP | OPEN | BOTH, M::DailyQuota),
    (45011, ALL | BOTH, M::MinuteQuota),
    (45033, ALL | BOTH, M::TooManyAtOnce),
    (45035, MP | OPEN | BOTH, M::AddressNotAllowed),
    (47001, ALL | BOTH, M::BodyNotJson),
    (48001, ALL | BOTH, M::ApiNotGranted),
    (48002, ALL | BOTH, M::ApiForbidden),
    (48004, ALL | BOTH, M::ApiBanned),
    (48006, MP | OPEN | BOTH, M::ClearQuotaUsedUp),
    (50002, WORK | USE, M::MemberOutOfScope),
    (50002, ALL | BOTH, M::AccountLimited),
    (50004, MP | OPEN | BOTH, M::AccountPunished),
    // Named in the platform's circulars only; no public list explains it further.
    (50007, MP | OPEN | BOTH, M::AccountFrozen),
    (60020, WORK | BOTH, M::AddressNotAllowed),
    (61003, OPEN | BOTH, M::NotAuthorised),
    // The interface document names it for plain accounts too.
    (61004, MP | OPEN | BOTH, M::AddressNotAllowed),
    (61005, OPEN | BOTH, M::PushedTicketInvalid),
    (61006, OPEN | BOTH, M::PushedTicketInvalid),
    (61007, MP | OPEN | BOTH, M::ApiNotGranted),
    (61011, OPEN | BOTH, M::ComponentInvalid),
    (61023, OPEN | BOTH, M::RefreshTokenInvalid),
    (61024, MP | OPEN | BOTH, M::UseComponentApi),
    (89501, MP | OPEN | BOTH, M::ConfirmationPending),
    (89503, MP | OPEN | BOTH, M::ConfirmationNeeded),
    (89506, MP | OPEN | BOTH, M::RefusedForADay),
    (89507, MP | OPEN | BOTH, M::RefusedForAnHour),
    (301002, WORK | BOTH, M::WrongAgent),
];

/// The rows in a word each, which halves them: 21 bits for the errcode, 5 for products and phases, 6 for the meaning.
static PACKED: [u32; ROWS.len()] = {
    let mut packed = [0; ROWS.len()];
    let mut at = 0;
    while at < ROWS.len() {
        let (errcode, whom, meaning) = ROWS[at];
        packed[at] = ((errcode as u32) << 11) | ((whom as u32) << 6) | meaning as u32;
        assert!(packed[at] as i32 >> 11 == errcode && whom < 1 << 5 && (meaning as u32) < 1 << 6, "does not fit");
        at += 1;
    }
    packed
};

pub(crate) fn meaning(product: Product, phase: Phase, errcode: i32) -> Meaning {
    let product = match product {
        Product::Platform => MP,
        Product::Work => WORK,
        Product::Open => OPEN,
    };
    let phase = match phase {
        Phase::Fetching => FETCH,
        Phase::Using => USE,
    };
    let row = PACKED.iter().find(|&&row| {
        let whom = (row >> 6) as u8;
        row as i32 >> 11 == errcode && whom & product != 0 && whom & phase != 0
    });
    row.and_then(|row| Meaning::ALL.get((row & 0x3f) as usize)).copied().unwrap_or(Meaning::Unknown)
}
