//! Does a credential stay valid through years of trouble? 10,000 simulated days against the platform's own rules.
//!
//! The keeper talks to the platform's pure model (which shares no code with it) on a virtual clock. Exchanges are slow,
//! lost, unanswered, executed after everybody gave up, garbled or refused; the network goes down for hours; secrets are
//! changed, addresses denied, tokens rotated by somebody else. Callers use the token all the time and report what is
//! refused. `WXTOKEN_SEED` and `WXTOKEN_LIVES` change the run; both are printed.

mod life;
mod trouble;

use std::thread;

use life::{Life, Sums};
use wxtoken_platform::{Overlap, WorkRepeat};

/// Days in one life of one account.
const DAYS: u64 = 40;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|v| v.parse().ok()).unwrap_or(default)
}

#[test]
fn ten_thousand_days_of_trouble_break_no_promise() {
    let seed = setting("WXTOKEN_SEED", 20_261_121);
    let lives = setting("WXTOKEN_LIVES", 250);
    let overlaps = [Overlap::EachSuperseded, Overlap::DirectPredecessor, Overlap::None];
    let repeats = [WorkRepeat::Remaining, WorkRepeat::FullLife];
    let one = |n: u64| {
        let kind = (n % 3) as usize;
        let life = Life::new(seed.wrapping_add(n), kind, overlaps[(n / 3 % 3) as usize], repeats[(n / 3 % 2) as usize]);
        (kind, life.run(DAYS))
    };
    // No life knows of another: a share of them for each processor.
    let workers = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut sums = [("token", Sums::default()), ("stable_token", Sums::default()), ("gettoken", Sums::default())];
    thread::scope(|scope| {
        let share = |first: u64| move || (first..lives).step_by(workers as usize).map(one).collect::<Vec<_>>();
        let shares: Vec<_> = (0..workers).map(|first| scope.spawn(share(first))).collect();
        for share in shares {
            let ended = share.join().unwrap_or_else(|violation| std::panic::resume_unwind(violation));
            ended.iter().for_each(|(kind, sum)| sums[*kind].1.add(sum));
        }
    });
    println!("seed {seed}: {} days in {lives} lives, no violation", lives * DAYS);
    println!("{:<14}{}", "endpoint", Sums::HEAD);
    for (name, sum) in &sums {
        println!("{name:<14}{sum}");
        assert!(sum.days > 0 && sum.troubles_of_every_kind(), "every kind of trouble came: {name} {sum:?}");
    }
}
