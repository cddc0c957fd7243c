//! What if the power goes?

use std::io;

use wxtoken_platform::{Fault, FaultScope, Platform};

use super::{Case, code};
use crate::{board::LIMIT, trial::Trial};

pub(super) fn all() -> Vec<Case> {
    vec![Case::new("power cut while it waits for the reply", while_waiting)]
}

fn while_waiting(trial: &mut Trial<'_>) -> io::Result<()> {
    let platform = trial.platform(Platform::builder().account(Trial::account()))?;
    platform.fault(Fault::Silence, FaultScope::next_call());
    let words = Trial::words(&platform, 1, 1);
    let mut board = trial.boot(&words)?;
    trial.expect_soon("the platform has the request", || platform.counters().faults == 1);
    let spoke = board.says("asks 10.0.2.2", 1, LIMIT)?;
    trial.expect(spoke, || "it does not say whom it asks".to_owned());
    trial.cut(board)?;
    let board = trial.boot(&words)?;
    let lines = trial.wait(board)?;
    trial.expect_code(code::FRESH);
    trial.expect_said(&lines, "is good for");
    trial.expect_fetched(&platform, 2);
    Ok(())
}
