//! What if the device holds no secret? It asks a central server on the LAN with a key of its own, and calls APIs elsewhere.

use std::io;

use wxtoken_platform::{Account, Platform};

use super::{Case, code};
use crate::{
    board::LIMIT,
    central::Central,
    trial::{ID, OTHER_SECRET, SECRET, Trial},
};

const HURRY: u32 = 8;

pub(super) fn all() -> Vec<Case> {
    vec![Case::new("central server: a device key, and a token made void", device_key)]
}

/// The platform knows the account's secret, the device its key, and only the server both. The platform would refuse the key,
/// and the server knows nothing of messages.
fn device_key(trial: &mut Trial<'_>) -> io::Result<()> {
    let builder = Platform::builder().account(Account::official(ID, OTHER_SECRET)).speed(HURRY.into());
    let platform = trial.platform(builder)?;
    let central = Central::start(platform.http_addr(), SECRET, OTHER_SECRET)?;
    let mut words = Trial::words(&platform, HURRY, 9);
    words.retain(|word| !word.starts_with("base="));
    words.extend([
        format!("base=http://10.0.2.2:{}", central.port()),
        format!("api=http://10.0.2.2:{}", platform.http_addr().port()),
        "trip=0".to_owned(),
        "trip=40".to_owned(),
    ]);
    let mut board = trial.boot(&words)?;
    board.says("has arrived", 1, LIMIT)?;
    platform.revoke_all(ID).map_err(io::Error::other)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    for words in ["sends its alarms to 10.0.2.2", "refused with errcode 40001", "token 2 is good for"] {
        trial.expect_said(&lines, words);
    }
    trial.expect_alarms(2);
    trial.expect_fetched(&platform, 2);
    let counts = central.counts();
    trial.expect(counts == (2, 0), || format!("{counts:?} tokens and other requests at the server"));
    let refused = platform.counters().account(ID).fetches_refused(40_125);
    trial.expect(refused == 0, || "the device's key was sent to the platform".to_owned());
    Ok(())
}
