//! How does the day look? A drawing: a row an account, bars where a token was valid, marks where one was fetched.
//!
//! Plain SVG 1.1 with a style sheet, so that it is readable on light and on dark paper; every part has a `title`, which
//! viewers show and readers read aloud. Nothing depends on colour alone: marks differ in shape, bars in height.

use std::fmt::Write as _;

use super::actor::Actor;
use super::alarm::Alarm;
use super::clock::time_of_day;
use super::record::{Band, Bar, Exchange, Result as Came, Served};
use super::stage::Stage;

const LEFT: f64 = 170.0;
const WIDTH: f64 = 984.0;
const TOP: f64 = 64.0;
const ROW: f64 = 96.0;
const DAY_MS: f64 = 86_400_000.0;

const STYLE: &str = "\
text{font:12px system-ui,'Noto Sans',sans-serif;fill:#1f2328}.h{font-size:17px;font-weight:600}.s{fill:#59636e}\
.n{fill:#fff;font-size:11px}.l{fill:#59636e;font-size:11px}.paper{fill:#fff}.axis{stroke:#d1d9e0}.a{fill:#1a7f37}.b{fill:#0969da}.dead{fill:#cf222e}\
.none{fill:#9a6700}.band{fill:#bf8700;fill-opacity:.22}.ok{fill:#1a7f37}.no{fill:#9a6700}.lost{stroke:#cf222e;\
stroke-width:2;fill:none}.alarm{fill:#8250df}.unsent{fill:none;stroke:#8250df;stroke-width:1.5}@media (prefers-color-scheme:dark){text{fill:#e6edf3}.s,.l{fill:#9198a1}.n{fill:#0d1117}\
.paper{fill:#0d1117}.axis{stroke:#3d444d}.a,.ok{fill:#3fb950}.b{fill:#58a6ff}.dead{fill:#f85149}.none,.no{fill:#d29922}\
.band{fill:#d29922;fill-opacity:.28}.lost{stroke:#f85149}.alarm{fill:#ab7df8}\
.unsent{stroke:#ab7df8}}";

const DESCRIPTION: &str = "One row for each account. A bar is a token that was valid, with its number; a low bar in \
another colour is time without a valid one. Below: a dot is a fetch that brought a token, a diamond one that was \
refused, a cross one that was never answered. A triangle is an alarm that was sent, hollow if it was not executed. Shaded: \
something was wrong.";

pub(crate) fn draw(stage: &Stage<'_>) -> String {
    let rows = stage.actors.len() as f64;
    let (width, height) = (LEFT + WIDTH + 26.0, TOP + rows * ROW + 66.0);
    let mut svg = Svg(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">A day of trouble, and four credentials kept valid</title>\n\
         <desc id=\"d\">{DESCRIPTION}</desc>\n<style>{STYLE}</style>\n\
         <rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>\n"
    ));
    svg.text(16.0, 30.0, "h", "A day of trouble, and four credentials kept valid");
    svg.text(16.0, 50.0, "s", "wxtoken demo: time of day in Beijing, stepped; every exchange over HTTP on loopback");
    svg.axis(TOP + rows * ROW);
    for (index, actor) in stage.actors.iter().enumerate() {
        svg.row(TOP + index as f64 * ROW, actor, actor.fetched(&stage.platform));
    }
    svg.legend(TOP + rows * ROW + 46.0);
    svg.0.push_str("</svg>\n");
    svg.0
}

struct Svg(String);

impl Svg {
    /// Nothing here comes from outside, and still it is escaped.
    fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.put(format_args!("<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>\n", escaped(text)));
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A String takes all that is written.
        let _ = self.0.write_fmt(text);
    }

    fn axis(&mut self, bottom: f64) {
        for hour in (0..=24).step_by(2) {
            let x = x(hour * 3_600_000);
            self.put(format_args!(
                "<line class=\"axis\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\n\
                 <text x=\"{x:.1}\" y=\"{:.1}\" class=\"s\" text-anchor=\"middle\">{hour:02}:00</text>\n",
                bottom + 16.0
            ));
        }
    }

    fn row(&mut self, top: f64, actor: &Actor, fetches: u64) {
        let endpoint = actor.path.rsplit('/').next().unwrap_or_default();
        self.text(16.0, top + 46.0, "", actor.label);
        self.text(16.0, top + 62.0, "s", &format!("{endpoint}, {fetches} fetches"));
        for band in &actor.bands {
            self.band(top, band);
        }
        for bar in &actor.track.bars {
            self.bar(top, bar);
        }
        for exchange in &actor.wire.exchanges() {
            self.exchange(top + 78.0, *exchange);
        }
        for alarm in &actor.alarms {
            self.alarm(top + 91.0, alarm);
        }
    }

    fn band(&mut self, top: f64, band: &Band) {
        let (at, width) = extent(band.from_ms, band.to_ms, 4.0);
        self.put(format_args!(
            "<rect class=\"band\" x=\"{at:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"66\"><title>{}, {} to {}</title></rect>\n",
            top + 20.0,
            escaped(band.label),
            time_of_day(band.from_ms),
            time_of_day(band.to_ms)
        ));
        self.text(at, top + 16.0, "l", band.label);
    }

    fn bar(&mut self, top: f64, bar: &Bar) {
        // Two seconds would be too thin to be seen.
        let (at, width) =
            extent(bar.from_ms, bar.to_ms, if matches!(bar.served, Served::Valid(_)) { 0.0 } else { 1.6 });
        let (class, y, height, what) = match bar.served {
            Served::Valid(n) => (if n % 2 == 0 { "a" } else { "b" }, 32.0, 28.0, format!("token {n}, valid")),
            Served::Dead(n) => ("dead", 50.0, 16.0, format!("token {n}, refused by the platform")),
            Served::Nothing => ("none", 50.0, 16.0, "no token".to_owned()),
        };
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{at:.2}\" y=\"{:.1}\" width=\"{width:.2}\" height=\"{height}\"><title>{what}, {} to {}</title></rect>\n",
            top + y,
            time_of_day(bar.from_ms),
            time_of_day(bar.to_ms)
        ));
        if let (Served::Valid(n), true) = (bar.served, width > 18.0) {
            self.text(at + 5.0, top + 50.0, "n", &n.to_string());
        }
    }

    fn exchange(&mut self, y: f64, exchange: Exchange) {
        let (at, when) = (x(exchange.at_ms), time_of_day(exchange.at_ms));
        let what = match exchange.came {
            Came::Token => "a fetch that brought a token",
            Came::Refusal => "a fetch that was refused",
            Came::Nothing => "a fetch that was never answered",
        };
        self.mark(at, y, exchange.came, &format!("{what}, {when}"));
    }

    fn alarm(&mut self, y: f64, alarm: &Alarm) {
        let when = time_of_day(alarm.at_ms);
        let (class, came) = match alarm.arrived {
            1 => ("alarm", "arrived once"),
            0 => ("unsent", "not executed, and its sender told so"),
            _ => ("unsent", "arrived more than once"),
        };
        self.triangle(x(alarm.at_ms), y, class, &format!("alarm during {}, {came}, {when}", alarm.trouble));
    }

    fn triangle(&mut self, x: f64, y: f64, class: &str, title: &str) {
        let title = escaped(title);
        self.put(format_args!(
            "<path class=\"{class}\" d=\"M{x:.1} {y:.1}m0-4.5l5 8.5h-10z\"><title>{title}</title></path>\n"
        ));
    }

    fn mark(&mut self, x: f64, y: f64, came: Came, title: &str) {
        let (class, path) = match came {
            Came::Token => ("ok", "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z"),
            Came::Refusal => ("no", "m0-5l5 5l-5 5l-5-5z"),
            Came::Nothing => ("lost", "m-4-4l8 8m0-8l-8 8"),
        };
        self.put(format_args!("<path class=\"{class}\" d=\"M{x:.1} {y:.1}{path}\"><title>{title}</title></path>\n"));
    }

    fn legend(&mut self, y: f64) {
        let rect = |svg: &mut Self, at: f64, class: &str, height: f64| {
            let top = y - height + 1.0;
            svg.put(format_args!(
                "<rect class=\"{class}\" x=\"{at}\" y=\"{top}\" width=\"14\" height=\"{height}\"/>\n"
            ));
        };
        rect(self, LEFT, "a", 14.0);
        rect(self, LEFT + 16.0, "b", 14.0);
        self.text(LEFT + 36.0, y, "s", "token valid");
        rect(self, LEFT + 125.0, "dead", 8.0);
        self.text(LEFT + 145.0, y, "s", "token dead");
        rect(self, LEFT + 230.0, "none", 8.0);
        self.text(LEFT + 250.0, y, "s", "no token");
        rect(self, LEFT + 325.0, "band", 14.0);
        self.text(LEFT + 345.0, y, "s", "something wrong");
        for (at, came, text) in [
            (470.0, Came::Token, "fetch: token"),
            (580.0, Came::Refusal, "fetch: refused"),
            (700.0, Came::Nothing, "fetch: no reply"),
        ] {
            self.mark(LEFT + at, y - 4.0, came, text);
            self.text(LEFT + at + 10.0, y, "s", text);
        }
        for (at, class, text) in [(812.0, "alarm", "alarm arrived"), (912.0, "unsent", "not sent")] {
            self.triangle(LEFT + at, y - 4.0, class, text);
            self.text(LEFT + at + 10.0, y, "s", text);
        }
    }
}

fn x(ms: u64) -> f64 {
    LEFT + ms as f64 / DAY_MS * WIDTH
}

/// Where a stretch of time begins on paper and how wide it is, at least `least`.
fn extent(from_ms: u64, to_ms: u64, least: f64) -> (f64, f64) {
    (x(from_ms), (x(to_ms) - x(from_ms)).max(least))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
