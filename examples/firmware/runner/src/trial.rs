//! Did one case go as it should with one image? What a case works with: a platform, boards, and a list of complaints.

use std::{io, ops::RangeInclusive, path::PathBuf, sync::Arc, thread, time::Duration};

use tempfile::TempDir;
use wxtoken_platform::{Account, Builder, Running};

use crate::{
    alarms::Arrived,
    board::{self, Board, Ended},
    cases::Case,
    images::Image,
    log,
    report::Report,
    secrecy::Hidden,
};

/// The account of the images, as their `provision.rs` has it.
pub(crate) const ID: &str = "wx0123456789abcdef";
/// The same as an app of a corporation, and the app.
pub(crate) const WORK_ID: &str = "ww0123456789abcdef";
pub(crate) const AGENT: u64 = 1_000_002;
/// The secret of both there.
pub(crate) const SECRET: &str = "an-example-device-key-0001";
/// A secret that the platform may have instead.
pub(crate) const OTHER_SECRET: &str = "another-key-than-the-device-has";

/// The address at which the boards find this machine.
pub(crate) const HOST: &str = "10.0.2.2";

/// The file with the authority that an image is to trust, as the boards know it.
const AUTHORITY: &str = "ca.pem";
/// The file that is the flash of the boards, as they know it.
pub(crate) const FLASH: &str = "flash.bin";
/// The bytes of the images' flash.
const FLASH_BYTES: usize = 8192;

/// One case with one image, while it runs.
pub(crate) struct Trial<'a> {
    pub(crate) image: &'a Image,
    /// Where the boards find their files. They run in it, so that names on their short command line are short.
    folder: TempDir,
    platforms: Vec<Arc<Running>>,
    outputs: Vec<Vec<u8>>,
    /// Whether the case has said what should have become of its alarms.
    looked_after_alarms: bool,
    report: Report,
}

/// Runs one case.
pub(crate) fn run(case: &Case, image: &Image) -> Report {
    let began = board::now();
    let mut report = match TempDir::new() {
        Ok(folder) => {
            let (platforms, outputs, report) = (Vec::new(), Vec::new(), Report::default());
            let mut trial = Trial { image, folder, platforms, outputs, looked_after_alarms: false, report };
            if let Err(error) = (case.play)(&mut trial) {
                trial.complain(format!("the trial itself failed: {error}"));
            }
            trial.look_after_alarms();
            trial.look_for_leaks();
            trial.report
        }
        Err(error) => Report { complaints: vec![format!("no temporary folder: {error}")], ..Report::default() },
    };
    report.took = board::now().saturating_duration_since(began);
    report
}

impl<'a> Trial<'a> {
    /// Starts a platform. What it mints must not be found in anything that is said.
    pub(crate) fn platform(&mut self, builder: Builder) -> io::Result<Arc<Running>> {
        let platform = Arc::new(builder.start()?);
        self.platforms.push(platform.clone());
        Ok(platform)
    }

    /// The account that the images have.
    pub(crate) fn account() -> Account {
        Account::official(ID, SECRET)
    }

    /// The account that they have when they are told that it is one of 企业微信.
    pub(crate) fn work_account(secret: &str) -> Account {
        Account::work(WORK_ID, secret).agent(AGENT)
    }

    /// The words that tell an image to ask `platform` over plain HTTP, at once, with time `hurry` times as fast.
    pub(crate) fn words(platform: &Running, hurry: u32, attempts: u32) -> Vec<String> {
        let base = format!("http://{HOST}:{}", platform.http_addr().port());
        Self::words_for(&base, hurry, attempts)
    }

    /// The same for another base URL.
    pub(crate) fn words_for(base: &str, hurry: u32, attempts: u32) -> Vec<String> {
        vec![
            format!("base={base}"),
            "device=17".to_owned(),
            "spread=0".to_owned(),
            format!("hurry={hurry}"),
            format!("attempts={attempts}"),
        ]
    }

    /// The word that tells an image to trust the authority of `platform`. None if it has none, or the image no use for it.
    pub(crate) fn trust(&self, platform: &Running) -> io::Result<Option<String>> {
        let Some(authority) = platform.ca_pem().filter(|_| self.image.speaks_tls) else { return Ok(None) };
        std::fs::write(self.file(AUTHORITY), authority)?;
        Ok(Some(format!("ca={AUTHORITY}")))
    }

    /// The path of the file that the boards know as `name`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A flash as it comes from the factory.
    pub(crate) fn new_flash(&self) -> io::Result<()> {
        std::fs::write(self.file(FLASH), [0xff; FLASH_BYTES])
    }

    /// Boots the image with `words`, which are those of `provision.rs`.
    pub(crate) fn boot(&self, words: &[String]) -> io::Result<Board<'a>> {
        self.boot_with(words, &[])
    }

    /// The same, with more arguments for the emulator. The sensor trips in every boot, at once unless said otherwise.
    pub(crate) fn boot_with(&self, words: &[String], more: &[String]) -> io::Result<Board<'a>> {
        let mut words = words.to_vec();
        if !words.iter().any(|word| word.starts_with("trip=")) {
            words.push("trip=0".to_owned());
        }
        Board::boot(self.image, self.folder.path(), &words, more)
    }

    /// Waits until the image ends by itself, and returns the lines of this boot.
    pub(crate) fn wait(&mut self, board: Board<'a>) -> io::Result<Vec<String>> {
        let ended = board.wait()?;
        if ended.code.is_none() {
            self.complain("it did not end in time");
        }
        Ok(self.take(ended, 0))
    }

    /// The same, where the reset button may have been pressed while it was saying something.
    pub(crate) fn wait_after_reset(&mut self, board: Board<'a>) -> io::Result<Vec<String>> {
        let ended = board.wait()?;
        if ended.code.is_none() {
            self.complain("it did not end in time");
        }
        Ok(self.take(ended, 1))
    }

    /// Cuts the power, and returns the lines of this boot.
    pub(crate) fn cut(&mut self, board: Board<'a>) -> io::Result<Vec<String>> {
        let ended = board.cut()?;
        Ok(self.take(ended, 0))
    }

    /// The same at a moment in which it may be saying something.
    pub(crate) fn cut_anywhere(&mut self, board: Board<'a>) -> io::Result<Vec<String>> {
        let ended = board.cut()?;
        Ok(self.take(ended, 1))
    }

    /// Takes over what was said. `torn`: so many lines may have been ended by a reset.
    fn take(&mut self, ended: Ended, torn: usize) -> Vec<String> {
        let read = self.image.reader.lines(&ended.log);
        if read.damaged > torn {
            self.complain(format!("{} lines of the log are damaged", read.damaged));
        }
        self.report.code = ended.code;
        self.report.lines.extend_from_slice(&read.lines);
        if !ended.complaints.is_empty() {
            let words = String::from_utf8_lossy(&ended.complaints);
            self.report.lines.extend(words.lines().map(|line| format!("the emulator: {line}")));
        }
        let (text, frames) = (read.lines.join("\n").into_bytes(), log::frames(&ended.log));
        self.outputs.extend([ended.log, frames, ended.complaints, text]);
        read.lines
    }

    /// Something worth knowing.
    pub(crate) fn note(&mut self, what: impl Into<String>) {
        self.report.notes.push(what.into());
    }

    /// Something is not as it should be.
    pub(crate) fn complain(&mut self, what: impl Into<String>) {
        self.report.complaints.push(what.into());
    }

    /// It should be so.
    pub(crate) fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.complain(otherwise());
        }
    }

    /// It should become so within the limit of a case.
    pub(crate) fn expect_soon(&mut self, what: &str, mut holds: impl FnMut() -> bool) {
        let until = board::now() + board::LIMIT;
        while !holds() {
            if board::now() >= until {
                return self.complain(format!("it never came to this: {what}"));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// The last boot should have ended so.
    pub(crate) fn expect_code(&mut self, code: i32) {
        if let Some(other) = self.report.code.filter(|&other| other != code) {
            self.complain(format!("exit code {other} instead of {code}"));
        }
    }

    /// A line should contain these words.
    pub(crate) fn expect_said(&mut self, lines: &[String], words: &str) {
        self.expect(lines.iter().any(|line| line.contains(words)), || format!("it does not say: {words}"));
    }

    /// So many lines of all boots should contain these words.
    pub(crate) fn expect_ever_said(&mut self, words: &str, times: usize) {
        let said = self.report.lines.iter().filter(|line| line.contains(words)).count();
        self.expect(said == times, || format!("it says {said} times instead of {times}: {words}"));
    }

    /// The platform should have executed so many fetches.
    pub(crate) fn expect_fetched(&mut self, platform: &Running, times: u64) {
        let counters = platform.counters();
        let fetched: u64 = [ID, WORK_ID].into_iter().map(|id| counters.account(id).fetched_in_all()).sum();
        self.expect(fetched == times, || format!("{fetched} fetches were executed instead of {times}"));
    }

    /// The platform should have refused so many calls, fetches aside.
    pub(crate) fn expect_refused(&mut self, platform: &Running, times: RangeInclusive<u64>) {
        let accounts = platform.counters().accounts;
        let calls = accounts.values().flat_map(|account| account.calls.values());
        let refused: u64 = calls.flat_map(|calls| calls.refused.values()).sum();
        self.expect(times.contains(&refused), || format!("{refused} calls were refused instead of {times:?}"));
    }

    /// So many alarms should have arrived, each of them once.
    pub(crate) fn expect_alarms(&mut self, count: usize) {
        self.looked_after_alarms = true;
        let arrived = self.arrived().times.len();
        self.expect(arrived == count, || format!("{arrived} alarms arrived instead of {count}"));
    }

    /// At least so many alarms should have arrived, of at most so many, each of them once at most: for a power cut that may
    /// come before it or after it.
    pub(crate) fn expect_alarms_within(&mut self, counts: RangeInclusive<usize>) {
        self.looked_after_alarms = true;
        let arrived = self.arrived().times.len();
        self.expect(counts.contains(&arrived), || format!("{arrived} alarms arrived instead of {counts:?}"));
    }

    /// No alarm can arrive, and none should have.
    pub(crate) fn expect_no_alarm(&mut self, why: &'static str) {
        self.expect_alarms(0);
        self.report.no_alarm = Some(why);
    }

    fn arrived(&self) -> Arrived {
        Arrived::at(self.platforms.iter().map(Arc::as_ref))
    }

    /// What holds for the alarms of every case.
    fn look_after_alarms(&mut self) {
        let arrived = self.arrived();
        let raised = self.report.lines.iter().filter(|line| line.contains("the water stands at")).count();
        self.report.alarms = (arrived.times.len(), raised);
        if !self.looked_after_alarms {
            self.complain("the case does not say what should have become of its alarm");
        }
        for (number, times) in arrived.repeated() {
            self.complain(format!("alarm {number} arrived {times} times"));
        }
        for message in &arrived.strange {
            self.complain(format!("not an alarm: {message}"));
        }
    }

    fn look_for_leaks(&mut self) {
        let accounts = [ID, WORK_ID];
        let minted = |platform: &Arc<Running>| accounts.map(|id| platform.minted_tokens(id));
        let tokens: Vec<String> = self.platforms.iter().flat_map(minted).flatten().collect();
        let mut hidden = Hidden::default();
        hidden.add("the secret", SECRET);
        hidden.add("the platform's secret", OTHER_SECRET);
        tokens.iter().for_each(|token| hidden.add("a token", token));
        let leaks: Vec<_> = self.outputs.iter().flat_map(|output| hidden.leaks(output)).collect();
        leaks.into_iter().for_each(|what| self.complain(format!("{what} is in the log")));
        // The token is in the flash: that is what the flash is for. The secret is compiled in, and must not be there too.
        let mut secrets = Hidden::default();
        secrets.add("the secret", SECRET);
        let flash = std::fs::read(self.file(FLASH)).unwrap_or_default();
        let leaks = secrets.leaks(&flash);
        leaks.into_iter().for_each(|what| self.complain(format!("{what} is in the flash")));
    }
}
